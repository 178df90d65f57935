import * as v from 'valibot';

/** One entry of `channels:`. */
export const channel = v.strictObject({
  plugin: v.optional(
    v.pipe(v.string(), v.description("The messaging plugin that connects it. Left out: the channel's own name.")),
  ),
  enabled: v.optional(v.pipe(v.boolean(), v.description('False switches the channel off.')), true),
  access: v.optional(
    v.pipe(
      v.picklist(['pairing', 'allow-list', 'open']),
      v.description('Who is answered: people who were paired, only those in `allow`, or anybody.'),
    ),
    'pairing',
  ),
  allow: v.optional(v.pipe(v.array(v.string()), v.description('Platform user ids that need no pairing.')), []),
});

/** `channels:` by channel name. */
export const channels = v.record(
  v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,62}$/, 'a channel name has small letters, digits and dashes')),
  channel,
);
