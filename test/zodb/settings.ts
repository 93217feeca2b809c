/** The seed of all random choices; SYNCPOZO_SEED repeats a run. */
export const seed = process.env.SYNCPOZO_SEED ?? String(Date.now());

/** The length of a campaign in minutes; SYNCPOZO_MINUTES. */
export const campaignMinutes = Number(process.env.SYNCPOZO_MINUTES ?? '10');
