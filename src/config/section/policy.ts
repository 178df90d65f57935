import * as v from 'valibot';
import { toolPattern } from './text.ts';

/** A tool by its name, or by whose it is too: `mcp/github/*`, `plugin/weather/*`. */
const rulePattern = v.pipe(
  v.string(),
  v.regex(
    /^(?:(?:px|plugin\/[a-z0-9*-]+|mcp\/[a-z0-9*-]+)\/)?[A-Za-z0-9_*-]{1,64}$/,
    "a tool's name with `*` for any part, or `mcp/SERVER/TOOL`, `plugin/NAME/TOOL`",
  ),
);

/** One line of `policy.rules`. */
const rule = v.strictObject({
  tool: v.pipe(
    rulePattern,
    v.description('The tools it is for: a name with `*` for any part, or `mcp/SERVER/*`, `plugin/NAME/*`.'),
  ),
  conversation: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\S{1,200}$/, 'a conversation as `channel/chat`, `*` for any part'),
      v.description('Only in these conversations: `telegram/4711`, `cli/*`.'),
    ),
    '*',
  ),
  from: v.optional(
    v.pipe(
      v.array(v.picklist(['owner', 'guest', 'schedule'])),
      v.description(
        'Only when one of these is who the turn answers. Left out: everybody; for `allow` the owner and the schedule.',
      ),
    ),
  ),
  outside: v.optional(
    v.pipe(
      v.boolean(),
      v.description(
        'For `allow`: also after text from outside was read, without a question. For the others: only then (`true`) or only before (`false`).',
      ),
    ),
  ),
  do: v.pipe(v.picklist(['allow', 'ask', 'deny']), v.description('What becomes of the call.')),
});

/** `policy:` what the agent may do without asking. */
export const policy = v.strictObject({
  rules: v.optional(
    v.pipe(
      v.array(rule),
      v.description('The first that fits a call decides about it: `- { tool: "web_*", do: ask }`.'),
    ),
    [],
  ),
  outside: v.optional(
    v.pipe(
      v.picklist(['ask', 'allow', 'deny']),
      v.description(
        'A tool that sends out or changes something, after the conversation read text from outside (a web page, an MCP server, a guest).',
      ),
    ),
    'ask',
  ),
  ask_minutes: v.optional(
    v.pipe(
      v.number(),
      v.minValue(0.02),
      v.maxValue(1440),
      v.description('How long a question waits for your word before it counts as a no, in minutes.'),
    ),
    15,
  ),
  guests: v.optional(
    v.pipe(
      v.array(toolPattern),
      v.description("Tools a guest's turn may use; `*` matches any part of a name. None when left out."),
    ),
    [],
  ),
});
