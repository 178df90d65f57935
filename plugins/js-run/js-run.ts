/**
 * The tool `js_run`: JavaScript that a model wrote. px keeps the plugin sealed: each call has a new process and engine, and no function of the
 * host answers. So what runs here may do to this engine whatever it likes.
 */
import type { Tool } from 'px';
import { show } from './show.ts';

/** Most characters of what is printed and of the value together. */
const maxOutput = 20_000;

export const tools: Tool[] = [
  {
    name: 'js_run',
    description:
      'Runs JavaScript and returns what console.log printed and the value of the last expression (or of `return`). For arithmetic, dates, text, data. No network, files, packages or memory of earlier calls.',
    parameters: {
      type: 'object',
      properties: {
        code: { type: 'string', description: 'JavaScript; where await stands at its top, `return` gives the value' },
      },
      required: ['code'],
    },
    run: ({ code }) => run(String(code)),
  },
];

async function run(code: string): Promise<string> {
  if (/\bimport\s*\(/.test(code)) throw new Error('Error: there are no modules to import here');
  const printed = collect();
  for (const name of ['fetch', 'Request', 'Response', 'Headers']) Reflect.deleteProperty(globalThis, name);
  let value: unknown;
  try {
    value = await begin(code);
  } catch (e) {
    throw new Error(printed.with(`Error: ${failure(e)}`));
  }
  return printed.with(value === undefined ? '' : `=> ${show(value, maxOutput)}`);
}

/** Puts a console in place that keeps what is printed, as much of it as is told. */
function collect() {
  const lines: string[] = [];
  let length = 0;
  let lost = 0;
  const print = (...values: unknown[]) => {
    const room = maxOutput - length;
    const line = room > 0 ? values.map((value) => show(value, room)).join(' ') : '';
    if (room <= 0) lost++;
    else lines.push(line);
    length += line.length + 1;
  };
  const methods = ['log', 'info', 'warn', 'error', 'debug', 'dir', 'table', 'trace'];
  const value = Object.fromEntries(methods.map((name) => [name, print]));
  Object.defineProperty(globalThis, 'console', { value, configurable: true, writable: true });
  return {
    /** All that was printed, and an end that is always told. */
    with(end: string): string {
      const told = end.length > maxOutput ? `${end.slice(0, maxOutput)}…` : end;
      const all = lines.join('\n');
      const cut = all.length > maxOutput || lost > 0;
      const kept = cut ? `${all.slice(0, maxOutput)}\n[cut: more than ${maxOutput} characters were printed]` : all;
      return [kept, told].filter((part) => part !== '').join('\n') || '(nothing was printed, and there is no value)';
    },
  };
}

const AsyncFunction = (async () => {}).constructor as new (body: string) => () => Promise<unknown>;

/** Runs a program for the value of its last expression; one with `await` or `return` at its top for what it returns. */
function begin(code: string): unknown {
  const fault = syntaxFault(code);
  if (fault === undefined) return globalEval(code);
  let body: () => Promise<unknown>;
  try {
    body = new AsyncFunction(code);
  } catch {
    throw fault;
  }
  return body();
}

// biome-ignore lint/security/noGlobalEval: to run what the model wrote is what it is for; the plugin is sealed
const globalEval = eval;

/** What is wrong with a program's grammar, if anything: it is read, and none of it is run. */
function syntaxFault(code: string): unknown {
  const read = {};
  Reflect.set(globalThis, '__read', read);
  try {
    globalEval(`throw __read;${code}`);
  } catch (e) {
    return e === read ? undefined : e;
  } finally {
    Reflect.deleteProperty(globalThis, '__read');
  }
  return undefined;
}

/** What was thrown, and where in the program. */
function failure(e: unknown): string {
  if (!(e instanceof Error)) return show(e, maxOutput);
  const line = /<(?:input|evalScript|anonymous)>:(\d+)/.exec(`${e.stack}`)?.[1];
  return `${e.name}: ${e.message}${line === undefined ? '' : ` (line ${line})`}`;
}
