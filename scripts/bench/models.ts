/**
 * What the switcher costs beside the SDKs, with the same mock server in the same run, one call of each in turn: time to the first token
 * (middle of N calls) and throughput of a long stream. With --binary also the memory of px after a burst over all four providers.
 * Exit code 1 when a bound does not hold.
 * usage: bun scripts/bench/models.ts [--calls N] [--streams N] [--chunks N] [--binary FILE [--wait SECONDS]] [--write]
 *   --streams  long streams of each (31)    --chunks  tokens in one (20,000)    --write  also write the table to docs/bench-models.md
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Px } from '../../test/e2e/px.ts';
import { ask, never, open } from '../../test/model/fakes.ts';
import { raw, type Speaker, serve, speakers, streamed } from '../../test/model/speakers.ts';
import { median, type Row, table, treeRssMiB, verdict } from './measure.ts';
import { machine } from './report.ts';

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '60' },
    streams: { type: 'string', default: '31' },
    chunks: { type: 'string', default: '20000' },
    wait: { type: 'string', default: '60' },
    binary: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const rows: Row[] = [];

/** The same request through the SDK itself: a piece of text at a time. */
const direct: Record<string, (url: string, speaker: Speaker) => Promise<() => AsyncIterable<unknown>>> = {
  async openai(url, speaker) {
    const { OpenAI } = await import('openai');
    const client = new OpenAI({ apiKey: 'k', baseURL: url + speaker.path, maxRetries: 0 });
    return async function* () {
      if (speaker.api === 'responses') {
        for await (const e of await client.responses.create({ model: 'm', input: 'hello', stream: true }))
          if (e.type === 'response.output_text.delta') yield e.delta;
        return;
      }
      const messages = [{ role: 'user' as const, content: 'hello' }];
      for await (const chunk of await client.chat.completions.create({ model: 'm', messages, stream: true }))
        if (chunk.choices[0]?.delta.content) yield chunk.choices[0].delta.content;
    };
  },
  async anthropic(url, speaker) {
    const { Anthropic } = await import('@anthropic-ai/sdk');
    const client = new Anthropic({ apiKey: 'k', baseURL: url + speaker.path, maxRetries: 0 });
    const messages = [{ role: 'user' as const, content: 'hello' }];
    return async function* () {
      for await (const e of await client.messages.create({ model: 'm', max_tokens: 256, messages, stream: true }))
        if (e.type === 'content_block_delta' && e.delta.type === 'text_delta') yield e.delta.text;
    };
  },
  async gemini(url, speaker) {
    const { GoogleGenAI } = await import('@google/genai/web');
    const client = new GoogleGenAI({ apiKey: 'k', vertexai: false, httpOptions: { baseUrl: url + speaker.path } });
    return async function* () {
      for await (const chunk of await client.models.generateContentStream({ model: 'm', contents: 'hello' }))
        if (chunk.text) yield chunk.text;
    };
  },
  async ollama(url) {
    const { Ollama } = await import('ollama/browser');
    const client = new Ollama({ host: url });
    return async function* () {
      const messages = [{ role: 'user', content: 'hello' }];
      for await (const part of await client.chat({ model: 'm', messages, stream: true }))
        if (part.message.content) yield part.message.content;
    };
  },
};

/** Milliseconds to the first piece of text and to the end. */
async function time(stream: AsyncIterable<unknown>): Promise<{ first: number; all: number }> {
  const begun = performance.now();
  let first = 0;
  for await (const _ of stream) first ||= performance.now() - begun;
  return { first, all: performance.now() - begun };
}

/** Both in turn, so that both meet the same noise; the first few calls only warm up. */
async function compare(px: () => AsyncIterable<unknown>, sdk: () => AsyncIterable<unknown>, calls: number) {
  const found = { px: [] as { first: number; all: number }[], sdk: [] as { first: number; all: number }[] };
  for (let n = -3; n < calls; n++) {
    const [a, b] = [await time(px()), await time(sdk())];
    if (n < 0) continue;
    found.px.push(a);
    found.sdk.push(b);
  }
  return found;
}

/** The same bytes for everybody, in pieces as a network brings them. */
function inPieces(speaker: Speaker, bytes: Uint8Array): Response {
  return raw(speaker, async (send) => {
    for (let at = 0; at < bytes.length; at += 8192) {
      send(bytes.subarray(at, at + 8192));
      await Bun.sleep(0);
    }
  });
}

const known = speakers.filter((one) => one.provider !== 'lab');

for (const speaker of known) {
  const say = (text: string[]) => new TextEncoder().encode(speaker.say({ text }).join(''));
  const long = say(Array.from({ length: Number(values.chunks) }, (_, i) => `word${i} `));
  let bytes = say(['hello ', 'there']);
  await using server = serve(speaker, () => inPieces(speaker, bytes));
  const prices = { [`${speaker.provider}/*`]: { input: 1, output: 1 } };
  const yaml = { ...server.yaml({ api_key: '${K}' }), model: { prices, budget: { day: 1000 } } };
  const { models } = await open({ yaml, env: { K: 'sk-test-1234567' } });
  const sdk = await direct[speaker.provider]?.(server.url, speaker);
  if (!sdk) throw new Error(speaker.provider);
  const px = async function* () {
    for await (const event of models.stream(ask(speaker.ref, 'hello'), never))
      if (event.type === 'text') yield event.text;
  };
  const short = await compare(px, sdk, Number(values.calls));
  rows.push({
    what: `${speaker.title}: first token, more than its SDK`,
    value: median(short.px.map((one) => one.first)) - median(short.sdk.map((one) => one.first)),
    unit: 'ms',
    bound: 3,
  });
  bytes = long;
  const streams = await compare(px, sdk, Number(values.streams));
  const pxMs = median(streams.px.map((one) => one.all));
  const sdkMs = median(streams.sdk.map((one) => one.all));
  // 90 % of the throughput is 1.11 times the time.
  rows.push({
    what: `${speaker.title}: time of ${values.chunks} tokens (${Math.round(pxMs)} ms), against its SDK`,
    value: pxMs / sdkMs,
    unit: 'x',
    bound: 1.11,
  });
  await models.close();
}

if (values.binary !== undefined) rows.push(await resident(values.binary));
console.log(table(rows));
console.log(verdict(rows));
if (values.write) {
  const page = `# Measurements of the switcher

Written by \`bun scripts/bench/models.ts --binary FILE --write\`; do not edit. Each SDK and px talk to the same mock server in the same run, one call of
each in turn; medians.

${machine()}

${table(rows)}

${verdict(rows)}
`;
  writeFileSync(resolve(import.meta.dir, '../../docs/bench-models.md'), page);
}
if (rows.some((row) => row.bound !== undefined && row.value > row.bound)) process.exit(1);

/** Memory of px and its children, some time after ten calls to each of the four. */
async function resident(binary: string): Promise<Row> {
  const four = known.filter((one) => one.api !== 'responses');
  const servers = four.map((one) => serve(one, () => streamed(one, { text: ['hello'] })));
  const providers = Object.assign({}, ...servers.map((one) => one.yaml({ api_key: '${K}' }).providers));
  await using px = new Px({ config: { providers }, env: { K: 'sk-test-1234567' }, command: [binary] });
  await px.serve();
  for (let n = 0; n < 10; n++) for (const one of four) await px.run('chat', '--model', one.ref, 'hello');
  await Bun.sleep(Number(values.wait) * 1000);
  const value = treeRssMiB(px.pid);
  for (const server of servers) await server[Symbol.asyncDispose]();
  return { what: `memory ${values.wait} s after a burst over all four providers`, value, unit: 'MiB', bound: 48 };
}
