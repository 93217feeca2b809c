/** The seed of everything random; SYNCPOZO_SEED repeats a run. */
export const seed = process.env.SYNCPOZO_SEED ?? String(Date.now());

/** How long a campaign runs, in minutes; SYNCPOZO_MINUTES. */
export const campaignMinutes = Number(process.env.SYNCPOZO_MINUTES ?? '10');
