import * as v from 'valibot';

/** `memory:` notes and their index. */
export const memory = v.strictObject({
  max_file_bytes: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(1024), v.description('Larger files are listed, not indexed, in bytes.')),
    10_485_760,
  ),
  recall_tokens: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(0),
      v.maxValue(4000),
      v.description(
        'Most tokens of passages from memory that px gives the model with a message by itself, where `agent.profile` leaves them; a quarter in the minimal profile. 0: none.',
      ),
    ),
    400,
  ),
  rescan_seconds: v.optional(
    v.pipe(
      v.number(),
      v.minValue(5),
      v.description('How often the folder is walked for changes the system did not announce, in seconds.'),
    ),
    300,
  ),
});

/** `log:` what is written where. */
export const log = v.strictObject({
  level: v.optional(
    v.pipe(v.picklist(['debug', 'info', 'warn', 'error']), v.description('Least severe level kept.')),
    'info',
  ),
});
