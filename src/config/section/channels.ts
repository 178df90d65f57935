import * as v from 'valibot';
import { name, platformId } from './text.ts';

/** One entry of `channels:`. */
const channel = v.strictObject({
  plugin: v.optional(
    v.pipe(name, v.description("The messaging plugin that connects it. Left out: the channel's own name.")),
  ),
  enabled: v.optional(v.pipe(v.boolean(), v.description('False switches the channel off.')), true),
  access: v.optional(
    v.pipe(
      v.picklist(['pairing', 'allow-list', 'open']),
      v.description('Who is answered: people who were paired, only those in `allow`, or anybody.'),
    ),
    'pairing',
  ),
  allow: v.optional(
    v.pipe(v.array(platformId), v.description('Platform user ids that need no pairing; they are guests.')),
    [],
  ),
  owners: v.optional(
    v.pipe(
      v.array(platformId),
      v.description('Platform user ids that are you: answered without pairing, with all tools, and whose word counts.'),
    ),
    [],
  ),
  groups: v.optional(
    v.pipe(
      v.picklist(['mention', 'all', 'off']),
      v.description('What is answered in a group: what mentions px or replies to it, everything, or nothing.'),
    ),
    'mention',
  ),
  queue: v.optional(
    v.pipe(
      v.picklist(['steer', 'followup', 'collect', 'interrupt']),
      v.description(
        'A message during an answer: taken into it, answered after it, answered with all others that came, or stopping it.',
      ),
    ),
    'followup',
  ),
  max_file_mb: v.optional(
    v.pipe(
      v.number(),
      v.minValue(0),
      v.maxValue(2_000),
      v.description('Largest file that is fetched from a message, in MB (memory/files/), or sent with one; 0: none.'),
    ),
    20,
  ),
  stream: v.optional(
    v.pipe(v.boolean(), v.description('Whether an answer is shown while it is being written, where the platform can.')),
    true,
  ),
  webhook: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/, 'the https address at which the platform reaches px'),
      v.description(
        'Messages come by webhook: the address, from outside, of this gateway (`https://px.example.com`). Left out: px asks for them.',
      ),
    ),
  ),
  answer_within_hours: v.optional(
    v.pipe(
      v.number(),
      v.minValue(0.1),
      v.maxValue(8760),
      v.description('A message older than this is not answered but listed by `px inbox`.'),
    ),
    24,
  ),
});

/** `channels:` by channel name. */
export const channels = v.record(name, channel);
