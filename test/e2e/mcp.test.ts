import { describe, expect, test } from 'bun:test';
import { resolve } from 'node:path';
import { LLMock } from '@copilotkit/aimock';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import OpenAI from 'openai';
import { providers } from './mock-llm.ts';
import { notBuilt, Px, until } from './px.ts';

const small = { command: process.execPath, args: [resolve(import.meta.dir, '../tool/mcp-server.ts')] };
const env = { TEST_KEY: 'sk-test-1234567890' };
const alive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** A model that uses the tool of an MCP server when it is asked to. */
async function toolMock(): Promise<LLMock & AsyncDisposable> {
  const mock = new LLMock({ port: 0 });
  mock.on({ userMessage: 'look', hasToolResult: false }, { toolCalls: [{ name: 'small_pid', arguments: {} }] });
  mock.on({ userMessage: 'look', hasToolResult: true }, { content: 'The server told me.' });
  mock.on({ userMessage: 'hello' }, { content: 'Hello from the mock.' });
  await mock.start();
  return Object.assign(mock, { [Symbol.asyncDispose]: async () => void (await mock.stop()) });
}

describe.skipIf(notBuilt !== undefined)('the Model Context Protocol', () => {
  test('a server’s tool is used in the very first turn, and its process ends with px', async () => {
    await using mock = await toolMock();
    const [openai] = providers;
    await using px = new Px({
      config: { model: { default: openai.model }, providers: openai.config(mock.url), mcp: { servers: { small } } },
      env,
    });
    await px.serve();
    expect((await px.run('chat', 'look please')).stdout).toContain('The server told me.');
    const result = JSON.stringify(mock.getLastRequest()?.body);
    const listed: { pid: number; state: string }[] = JSON.parse((await px.run('mcp', 'list', '--json')).stdout);
    const pid = listed[0]?.pid ?? 0;
    expect(listed[0]?.state).toBe('running');
    expect(result).toContain(String(pid));
    expect(alive(pid)).toBe(true);
    await px.stop();
    await until('the end of the server', async () => !alive(pid));
  }, 60_000);

  test('px is a server for the SDK’s own client', async () => {
    await using px = new Px({ config: { model: { default: 'offline/px' } } });
    await px.serve();
    const headers = { authorization: `Bearer ${px.token}` };
    const client = new Client({ name: 'test', version: '1' });
    const transport = new StreamableHTTPClientTransport(new URL('/mcp', px.url), { requestInit: { headers } });
    await client.connect(transport as Parameters<Client['connect']>[0]);
    await client.callTool({ name: 'memory_write', arguments: { path: 'bike.md', text: 'Gudrun is a bicycle.' } });
    const read = await client.readResource({ uri: 'memory:///bike.md' });
    expect(JSON.stringify(read.contents)).toContain('Gudrun is a bicycle.');
    await client.close();
  }, 60_000);
});

describe.skipIf(notBuilt !== undefined)("OpenAI's own client against the executable", () => {
  test('chats, streams, gets responses and embeddings', async () => {
    await using mock = await toolMock();
    await using px = new Px({
      config: { model: { default: 'offline/px' }, providers: providers[0].config(mock.url) },
      env,
    });
    await px.serve();
    const openai = new OpenAI({ apiKey: px.token, baseURL: `${px.url}/v1`, maxRetries: 0 });
    const model = 'openai/gpt-4o';
    const messages = [{ role: 'user' as const, content: 'hello' }];
    const streamed = await openai.chat.completions.stream({ model, messages }).finalContent();
    expect(streamed).toBe('Hello from the mock.');
    expect((await openai.responses.create({ model, input: 'hello' })).output_text).toBe('Hello from the mock.');
    const made = await openai.embeddings.create({ model: 'text-embedding-3-small', input: ['a', 'b'] });
    expect(made.data.map((one) => one.embedding.length > 10)).toEqual([true, true]);
    expect((await openai.chat.completions.create({ model: 'px', messages })).choices[0]?.finish_reason).toBe('stop');
  }, 60_000);
});
