import { describe, expect, test } from 'bun:test';
import { recall } from '../../src/agent/recall.ts';
import type { JournalEntry } from '../../src/memory/memory.ts';
import type { ModelEvent } from '../../src/model/model.ts';
import { shutdown } from '../../src/tool/tool.ts';
import { echoTool } from '../tool/fakes.ts';
import { agentWith, inbound, say, use, useTools } from './fakes.ts';

/** A model that says something and then nothing more until it is stopped. */
async function* hangs(text: string): AsyncGenerator<ModelEvent> {
  yield { type: 'text', text };
  await new Promise(() => {});
}

describe('a turn', () => {
  test('answers, streams and journals, the message before the model is asked', async () => {
    const seen: string[] = [];
    const { ask, kinds, journal, events, streamed } = agentWith([
      async () => {
        seen.push(...kinds());
        return say('Hello Ada.');
      },
    ]);
    const result = await ask('hi');
    expect(result).toMatchObject({ reason: 'stop', text: 'Hello Ada.', model: 'offline/px' });
    expect(seen).toEqual(['user']);
    expect(kinds()).toEqual(['user', 'assistant', 'turn-end']);
    expect(journal[2]).toMatchObject({ messageId: 'm1', reason: 'stop', usage: { input: 10, output: 5 } });
    expect(streamed()).toBe('Hello Ada.');
    expect(events.map((event) => event.type)).toEqual(['turn.start', 'turn.text', 'turn.usage', 'turn.end']);
    expect(events[0]).toMatchObject({ messageId: 'm1' });
  });

  test('runs tools, gives their results to the model and journals each step as it happens', async () => {
    const { ask, kinds, models, streamed } = agentWith(
      [
        useTools({ type: 'thinking', text: 'hm' }, { type: 'text', text: 'Looking.' }, use('echo', { text: 'x' })),
        say('Done.'),
      ],
      { tools: [echoTool('echo')] },
    );
    expect((await ask('go')).text).toBe('Looking.\n\nDone.');
    expect(streamed()).toBe('Looking.\n\nDone.');
    expect(kinds()).toEqual(['user', 'thinking', 'assistant', 'tool-call', 'tool-result', 'assistant', 'turn-end']);
    expect(models.requests[1]?.messages.at(-1)).toMatchObject({
      role: 'tool',
      parts: [{ name: 'echo', isError: false, content: [{ type: 'text', text: '{"text":"x"}' }] }],
    });
  });

  test('runs the calls of one step at the same time', async () => {
    let open = () => {};
    const met = new Promise<void>((resolve) => {
      open = resolve;
    });
    let waiting = 0;
    const call = async () => {
      if (++waiting === 2) open();
      await met;
      return 'met';
    };
    const { ask } = agentWith([useTools(use('meet', { n: 1 }), use('meet', { n: 2 })), say('both')], {
      tools: [echoTool('meet', { call })],
    });
    expect((await ask('go')).text).toBe('both');
  });

  test('a failing tool is a result the model can answer to', async () => {
    const { ask, models } = agentWith([useTools(use('nope')), say('I have no such tool.')]);
    expect((await ask('go')).reason).toBe('stop');
    expect(JSON.stringify(models.requests[1]?.messages)).toContain('Error tool.unknown');
  });

  test('keeps a thought with its signature and the provider that made it', async () => {
    const thoughts: ModelEvent[] = [
      { type: 'thinking', text: 'a' },
      { type: 'thinking', text: 'b', signature: 's1' },
      { type: 'thinking', text: 'c' },
    ];
    const { ask, journal } = agentWith([[...thoughts, ...say('ok')]]);
    await ask('go', { model: 'anthropic/claude' });
    expect(journal.filter((entry) => entry.kind === 'thinking')).toMatchObject([
      { text: 'ab', signature: 's1', provider: 'anthropic' },
      { text: 'c', provider: 'anthropic' },
    ]);
  });

  test('a model for this message only answers this message only', async () => {
    const { ask, models } = agentWith([say('a')]);
    await ask('one', { model: 'openai/gpt-5' });
    await ask('two', { id: 'm2' });
    expect(models.requests.map((request) => request.model)).toEqual(['openai/gpt-5', 'offline/px']);
  });

  test('an unknown model for this message is told, with a start and an end on the bus', async () => {
    const { ask, models, events, streamed } = agentWith([say('no')]);
    const result = await ask('one', { model: 'gtp5' });
    expect(result.error?.code).toBe('model.unknown');
    expect(streamed()).toBe(result.text);
    expect(events.map((event) => event.type)).toEqual(['turn.start', 'turn.text', 'turn.end']);
    expect(models.requests).toHaveLength(0);
  });

  test('secrets a person types are neither journalled nor sent', async () => {
    const scrub = (text: string) => text.replaceAll('hunter2', '[redacted:PW]');
    const { ask, journal, models } = agentWith([say('ok')], { over: { scrub } });
    await ask('my password is hunter2');
    expect(JSON.stringify([journal, models.requests])).not.toContain('hunter2');
  });
});

describe('the bounds of a turn', () => {
  const again = () => useTools(use('echo', { text: String(Math.random()) }));

  test('steps: it stops and says so', async () => {
    const { ask, models, journal, streamed } = agentWith([async () => again()], {
      yaml: { agent: { max_steps: 3 } },
      tools: [echoTool('echo')],
    });
    const result = await ask('go');
    expect(result.reason).toBe('limit');
    expect(result.error?.code).toBe('agent.limit');
    expect(result.text).toContain('limit of 3 steps');
    expect(result.text).toContain('agent.max_steps');
    expect(streamed()).toBe(result.text);
    expect(models.requests).toHaveLength(3);
    expect(journal.at(-1)).toMatchObject({ kind: 'turn-end', reason: 'limit', error: { code: 'agent.limit' } });
  });

  test('tokens: it stops, also when the server counts nothing', async () => {
    const { ask } = agentWith([async () => again()], {
      yaml: { agent: { max_tokens: 1000 } },
      tools: [echoTool('echo')],
    });
    expect((await ask('x'.repeat(4000))).text).toContain('limit of 1000 tokens');
  });

  test('seconds: a model that hangs is left, and what it said is kept', async () => {
    const { ask, journal } = agentWith([() => hangs('Once upon')], { yaml: { agent: { max_seconds: 1 } } });
    const result = await ask('tell');
    expect(result.text).toStartWith('Once upon\n\n');
    expect(result.text).toContain('limit of 1 seconds');
    expect(journal.at(-2)).toMatchObject({ kind: 'assistant', text: 'Once upon' });
  });

  test('the same call again and again is refused from the fourth time on', async () => {
    let ran = 0;
    const call = async () => String(++ran);
    const same = () => useTools(use('spin', ran % 2 ? { a: 1, b: 2 } : { b: 2, a: 1 }));
    const { ask, journal } = agentWith([async () => same()], {
      yaml: { agent: { max_steps: 6 } },
      tools: [echoTool('spin', { call })],
    });
    await ask('go');
    expect(ran).toBe(3);
    const last = journal.findLast((entry) => entry.kind === 'tool-result');
    expect(JSON.stringify(last)).toContain('already called 3 times');
  });
});

describe('a turn that goes wrong', () => {
  const error = {
    code: 'model.auth' as const,
    message: 'The key was refused',
    hint: 'Set OPENAI_API_KEY.',
    retryable: false,
  };

  test("a model's failure is a polite answer with its code and hint", async () => {
    const { ask, journal, streamed } = agentWith([
      [
        { type: 'text', text: 'Let me' },
        { type: 'end', reason: 'error', error },
      ],
    ]);
    const result = await ask('hi');
    expect(result).toMatchObject({ reason: 'error', error: { code: 'model.auth' } });
    expect(result.text).toBe(
      'Let me\n\nSorry, I could not answer: The key was refused. [model.auth]\nSet OPENAI_API_KEY.',
    );
    expect(streamed()).toBe(result.text);
    expect(journal.slice(1)).toMatchObject([
      { kind: 'assistant', text: 'Let me' },
      { kind: 'turn-end', reason: 'error', error },
    ]);
  });

  test('a stream that throws or just ends is a failure too, not a crash', async () => {
    const throws = async (): Promise<ModelEvent[]> => {
      throw new TypeError('socket gone');
    };
    expect((await agentWith([throws]).ask('hi')).text).toContain('socket gone. [internal]');
    expect((await agentWith([[{ type: 'text', text: 'ab' }]]).ask('hi')).error?.code).toBe('model.stream');
  });

  test('calls of a step that failed or was cut off are not run', async () => {
    let ran = 0;
    const tools = [echoTool('pay', { call: async () => String(++ran) })];
    await agentWith([[use('pay'), { type: 'end', reason: 'error', error }]], { tools }).ask('go');
    const cut = await agentWith([[use('pay'), { type: 'end', reason: 'length' }]], { tools }).ask('go');
    expect(ran).toBe(0);
    expect(cut.text).toContain('cut off');
  });

  test('an empty answer says so', async () => {
    expect((await agentWith([[{ type: 'end', reason: 'stop' }]]).ask('hi')).text).toContain('gave no answer');
  });

  test('a journal that cannot be written: the model is not asked, the person is told', async () => {
    const { ask, models, sessions, events } = agentWith([say('never')]);
    sessions.append = () => Promise.reject(new Error('No space left on device'));
    const result = await ask('hi');
    expect(result).toMatchObject({ reason: 'error' });
    expect(result.text).toContain('No space left');
    expect(models.requests).toHaveLength(0);
    expect(events.at(-1)?.type).toBe('turn.end');
  });

  test('stopped by a person: what was streamed is journalled and marked', async () => {
    const { ask, abort, journal, events } = agentWith([() => hangs('Half an ans')]);
    const running = ask('tell');
    while (!events.some((event) => event.type === 'turn.text')) await Bun.sleep(1);
    abort.abort();
    expect(await running).toMatchObject({ reason: 'aborted', text: 'Half an ans\n\n⏹ Stopped.' });
    expect(journal.slice(1)).toMatchObject([{ text: 'Half an ans' }, { kind: 'turn-end', reason: 'aborted' }]);
  });

  test('stopped while a tool runs: the call has a result and the turn an end', async () => {
    const { ask, abort, kinds, events } = agentWith([useTools(use('deaf'))], {
      tools: [echoTool('deaf', { call: () => new Promise(() => {}) })],
    });
    const running = ask('go');
    while (!events.some((event) => event.type === 'turn.tool')) await Bun.sleep(1);
    abort.abort();
    expect((await running).reason).toBe('aborted');
    expect(kinds()).toEqual(['user', 'tool-call', 'tool-result', 'turn-end']);
  });
});

describe('a message left from before a restart', () => {
  const user: JournalEntry = {
    at: 1,
    kind: 'user',
    sender: { id: 'owner', name: 'Ada' },
    channel: 'cli',
    messageId: 'm1',
    text: 'go',
  };
  const usage = { input: 1, output: 1, cachedInput: 0 };
  const said: JournalEntry = { at: 2, kind: 'assistant', turn: 'old', model: 'offline/px', text: 'It is noon.' };
  const call = { type: 'tool-call' as const, id: 'c9', name: 'pay', args: {} };

  test('that was answered is answered from the journal: the model is not asked again', async () => {
    const end: JournalEntry = { at: 3, kind: 'turn-end', turn: 'old', messageId: 'm1', reason: 'stop', usage };
    const { ask, models, journal, streamed } = agentWith([say('again')], { journal: [user, said, end] });
    expect(await ask('go', { leftOver: true })).toMatchObject({ turn: 'old', text: 'It is noon.', reason: 'stop' });
    expect(models.requests).toHaveLength(0);
    expect(journal).toHaveLength(3);
    expect(streamed()).toBe('It is noon.');
  });

  test('that was journalled and not answered is asked once, without a second copy', async () => {
    const { ask, kinds } = agentWith([say('Here.')], { journal: [user] });
    expect((await ask('go', { leftOver: true })).text).toBe('Here.');
    expect(kinds()).toEqual(['user', 'assistant', 'turn-end']);
  });

  test('a call whose result was lost is not run again behind the model: it is told', async () => {
    let ran = 0;
    const journal: JournalEntry[] = [user, said, { at: 3, kind: 'tool-call', turn: 'old', call }];
    const { ask, models, kinds } = agentWith([say('Checked.')], {
      journal,
      tools: [echoTool('pay', { call: async () => String(++ran) })],
    });
    expect(await ask('go', { leftOver: true })).toMatchObject({ turn: 'old', text: 'It is noon.\n\nChecked.' });
    expect(ran).toBe(0);
    expect(kinds()).toEqual(['user', 'assistant', 'tool-call', 'tool-result', 'assistant', 'turn-end']);
    expect(JSON.stringify(models.requests[0]?.messages)).toContain('px was restarted while this ran');
  });

  test('that never reached the journal is a turn like any other', async () => {
    const { ask, kinds } = agentWith([say('Hi.')], {});
    await ask('go', { leftOver: true });
    expect(kinds()).toEqual(['user', 'assistant', 'turn-end']);
  });

  test('when px is stopping, a turn has no end in the journal and goes on after the restart', async () => {
    const first = agentWith([() => hangs('Half')]);
    const running = first.ask('go');
    while (!first.events.some((event) => event.type === 'turn.text')) await Bun.sleep(1);
    first.abort.abort(shutdown);
    expect((await running).postponed).toBe(true);
    expect(first.kinds()).toEqual(['user', 'note']);
    const second = agentWith([say('Whole.')], { journal: first.journal });
    expect((await second.ask('go', { leftOver: true })).text).toBe('Whole.');
    expect(second.kinds()).toEqual(['user', 'note', 'assistant', 'turn-end']);
  });

  test('a message of the same id in another place of the journal is the latest one', async () => {
    const end: JournalEntry = { at: 3, kind: 'turn-end', turn: 'old', messageId: 'm1', reason: 'stop', usage };
    const { ask, models } = agentWith([say('fresh')], { journal: [user, said, end, user] });
    expect((await ask('go', { leftOver: true })).text).toBe('fresh');
    expect(models.requests).toHaveLength(1);
  });
});

test('a message that is not a command is never urgent', () => {
  const { agent } = agentWith([]);
  expect([inbound('hello'), inbound('/stop'), inbound('/new'), inbound('/etc/hosts?')].map(agent.urgent)).toEqual([
    false,
    true,
    false,
    false,
  ]);
});

describe('a turn that is steered', () => {
  const later = (text: string) => ({ ...inbound(text), id: 'm2' });

  test('takes in what was said meanwhile and answers both', async () => {
    const waiting = [later('and the weather?')];
    const { agent, models, kinds } = agentWith([say('It is noon.'), say('It rains.')]);
    let asked = 0;
    const steer = () => (++asked === 2 ? waiting.splice(0) : []);
    const { text } = await agent.turn({ inbound: inbound('the time?'), steer }, new AbortController().signal);
    expect(text).toBe('It is noon.\n\nIt rains.');
    expect(kinds()).toEqual(['user', 'assistant', 'user', 'assistant', 'turn-end']);
    expect(JSON.stringify(models.requests[1]?.messages.at(-1))).toContain('and the weather?');
  });

  test('is found whole after a crash, and what was taken into it is not answered again', async () => {
    const turn = { inbound: inbound('the time?') };
    const first = agentWith([say('It is noon.'), say('It rains.')]);
    const waiting = [later('and the weather?')];
    let asked = 0;
    await first.agent.turn(
      { ...turn, steer: () => (++asked === 2 ? waiting.splice(0) : []) },
      new AbortController().signal,
    );
    expect(recall(first.journal, 'm1')).toMatchObject({
      texts: ['It is noon.', 'It rains.'],
      end: { messageId: 'm1' },
    });
    expect(recall(first.journal, 'm2')).toMatchObject({ open: [], end: { messageId: 'm1' } });
    expect(recall(first.journal, 'm3')).toBeUndefined();
  });
});
