import type { Json } from '../../wire/wire.ts';
import type { Outside } from '../plugin.ts';
import type { ScriptedRequest } from './case.ts';
import { mismatch } from './match.ts';

/** The world outside px, as the tests script it: the clock, and who answers requests. */
export interface ScriptedWorld extends Omit<Outside, 'files'> {
  /** Any name is found; its address is that of nobody here. */
  resolve(host: string): Promise<string[]>;
  /** Begins a test. */
  begin(requests: ScriptedRequest[], clock: number | undefined): void;
  /** What was asked for that is not scripted, sent otherwise than expected, or never asked. */
  problems(): string[];
}

/** A public address, so that what stands against private ones stays in force. */
const somewhere = '93.184.215.14';

/** Makes a world in which nothing is answered yet. */
export function scriptWorld(): ScriptedWorld {
  let open: ScriptedRequest[] = [];
  let found: string[] = [];
  let now: number | undefined;

  return {
    clock: () => now,
    resolve: async () => [somewhere],
    begin(requests, clock) {
      open = [...requests];
      found = [];
      now = clock;
    },
    async send(pinned, init) {
      const headers = new Headers(init.headers);
      const url = new URL(pinned);
      url.host = headers.get('host') ?? url.host;
      const asked = `${init.method ?? 'GET'} ${url.href}`;
      const at = open.findIndex(({ request }) => request === asked || normal(request) === asked);
      const [script] = at < 0 ? [] : open.splice(at, 1);
      if (!script) {
        found.push(`no answer is scripted for ${asked}`);
        throw new Error(`no answer is scripted for ${asked}`);
      }
      const body = await new Response(init.body ?? null).text();
      found.push(...sentWrong(script, headers, body).map((wrong) => `${script.request}: ${wrong}`));
      return answerOf(script);
    },
    problems: () => [...found, ...open.map(({ request }) => `never asked: ${request}`)],
  };
}

/** `GET https://a.example` as it goes out: `GET https://a.example/`. */
function normal(request: string): string {
  const [method = '', url = ''] = request.split(' ');
  return `${method} ${URL.parse(url)?.href ?? url}`;
}

function sentWrong(script: ScriptedRequest, headers: Headers, body: string): string[] {
  const wrong: string[] = [];
  for (const [name, value] of Object.entries(script.headers ?? {})) {
    const sent = headers.get(name);
    if (sent !== value) wrong.push(`header ${name}: expected ${value}, sent ${sent ?? 'none'}`);
  }
  if (script.body !== undefined && script.body !== body)
    wrong.push(`body: expected ${JSON.stringify(script.body)}, sent ${JSON.stringify(body)}`);
  if (script.json !== undefined) {
    const different = mismatch(script.json, parsed(body));
    if (different) wrong.push(`body: ${different}`);
  }
  return wrong;
}

function parsed(body: string): Json {
  try {
    return JSON.parse(body) as Json;
  } catch {
    return body;
  }
}

function answerOf({ answer }: ScriptedRequest): Response {
  if (typeof answer === 'string') return new Response(answer);
  const { status = 200, headers = {}, text, json, base64, fail } = answer;
  if (fail === 'timeout') throw new DOMException('no answer in time', 'TimeoutError');
  if (fail === 'network') throw new Error('the connection broke');
  const type: Record<string, string> = json === undefined ? {} : { 'content-type': 'application/json' };
  const body =
    base64 === undefined ? (text ?? (json === undefined ? '' : JSON.stringify(json))) : Uint8Array.fromBase64(base64);
  // Statuses that have no body must be given none.
  return new Response([204, 205, 304].includes(status) ? null : body, { status, headers: { ...type, ...headers } });
}
