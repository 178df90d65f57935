import * as v from 'valibot';
import { name, serverUrl } from './text.ts';

const seconds = (text: string) => v.pipe(v.number(), v.minValue(1), v.maxValue(86_400), v.description(text));

/** One entry of `mcp.servers`: a program with `command`, or an address with `url`. */
const server = v.strictObject({
  enabled: v.optional(v.pipe(v.boolean(), v.description('False: the server stays listed and is never used.')), true),
  command: v.optional(
    v.pipe(
      v.string(),
      v.minLength(1),
      v.description(
        'Program to start; it speaks over its stdin and stdout. It runs with all your rights, not in the sandbox.',
      ),
    ),
  ),
  args: v.optional(v.pipe(v.array(v.string()), v.description('Its arguments. No shell reads them.')), []),
  env: v.optional(
    v.pipe(
      v.record(v.string(), v.string()),
      v.description('Its environment beside `PATH`, and nothing else; `secret:NAME` and `${NAME}` are filled in.'),
    ),
    {},
  ),
  cwd: v.optional(
    v.pipe(v.string(), v.regex(/^\//, 'an absolute path'), v.description('Folder it starts in; `/` when left out.')),
  ),
  url: v.optional(v.pipe(serverUrl, v.description('Address of a server that speaks streamable HTTP.'))),
  headers: v.optional(
    v.pipe(
      v.record(v.string(), v.string()),
      v.description('Headers sent to `url`; `secret:NAME` and `Bearer ${NAME}` are filled in.'),
    ),
    {},
  ),
  timeout_seconds: v.optional(seconds('Longest time of one call, in seconds.'), 60),
  idle_seconds: v.optional(seconds('How long an unused server stays connected, in seconds.'), 300),
});

/** `mcp:` servers of the Model Context Protocol px uses tools of. */
export const mcp = v.strictObject({
  servers: v.optional(
    v.pipe(
      v.record(name, server),
      v.description('By a name you choose; a tool of it is called `NAME_TOOL`. Off until a tool is first used.'),
    ),
    {},
  ),
});
