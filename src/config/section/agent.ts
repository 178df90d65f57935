import * as v from 'valibot';
import { toolPattern } from './text.ts';

/** `agent:` the bounds of one turn. */
export const agent = v.strictObject({
  max_steps: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(200), v.description('Most model calls in one turn.')),
    24,
  ),
  max_seconds: v.optional(v.pipe(v.number(), v.minValue(1), v.description('Longest turn, in seconds.')), 600),
  max_tokens: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(1000),
      v.description('Most input and output tokens of one turn together.'),
    ),
    400_000,
  ),
  stop_seconds: v.optional(
    v.pipe(
      v.number(),
      v.minValue(0),
      v.maxValue(600),
      v.description(
        'How long running turns may go on when px is told to stop, in seconds. What takes longer goes on after the next start.',
      ),
    ),
    20,
  ),
  history_messages: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(2), v.description('Most earlier messages sent with a turn.')),
    60,
  ),
  profile: v.optional(
    v.pipe(
      v.picklist(['full', 'minimal']),
      v.description(
        'How much px adds to the conversation, with ten tools and what memory recalls: `full` is under 1,500 tokens, `minimal` under 600, for small local models.',
      ),
    ),
    'full',
  ),
  schedule: v.optional(
    v.pipe(
      v.boolean(),
      v.description(
        'Lets the agent set, list and remove what px does by itself (`memory/schedule.md`) with tools; setting and removing asks first.',
      ),
    ),
    true,
  ),
  tools: v.optional(
    v.pipe(
      v.strictObject({
        deny: v.optional(
          v.pipe(v.array(toolPattern), v.description('Tools the agent may not call; `*` matches any part of a name.')),
          [],
        ),
      }),
      v.description('Which tools the agent has.'),
    ),
    {},
  ),
});
