/** The length of a campaign in minutes; SYNCPOZO_MINUTES. */
export const campaignMinutes = Number(process.env.SYNCPOZO_MINUTES ?? '10');
