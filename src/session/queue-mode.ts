/** Every mode, as px.yaml and `/queue` name them. */
export const queueModes = ['steer', 'followup', 'collect', 'interrupt'] as const;

/**
 * What becomes of a message that comes while a turn runs: `steer` takes it into the turn, `followup` answers it afterwards, `collect`
 * answers all that came meanwhile together, `interrupt` stops the turn for it.
 */
export type QueueMode = (typeof queueModes)[number];
