import { describe, expect, test } from 'bun:test';
import { fitting } from '../../src/tui/fitting.ts';
import type { Key } from '../../src/tui/keys.ts';
import { conversationId, press } from '../../src/tui/press.ts';
import { takeEvent } from '../../src/tui/reduce.ts';
import type { State } from '../../src/tui/state.ts';
import { after, at, clockTurn, question, shown } from './world.ts';

const name = (key: string): Key => ({ name: key });
const text = (typed: string): Key => ({ text: typed });
const all = (state: State, ...keys: Key[]) => keys.map((key) => press(state, key, 24, at)).at(-1);

describe('typing', () => {
  test('letters are text until escape, then they are keys', () => {
    const state = after();
    expect(all(state, text('quick?'), name('enter'))).toEqual({ do: 'say', text: 'quick?' });
    all(state, text('q'));
    expect(state.view.input.text).toBe('q');
    expect(all(state, name('escape'), text('q'))).toEqual({ do: 'quit' });
  });

  test('a message is kept while px is away', () => {
    const state = after();
    state.link = 'lost';
    expect(all(state, text('hello'), name('enter'))).toBeUndefined();
    expect(state.view.input.text).toBe('hello');
    expect(state.view.toast?.bad).toBe(true);
  });

  test('nothing is said with an empty line', () => {
    expect(all(after(), text('  '), name('enter'))).toBeUndefined();
  });

  test('what was said before comes back with the arrows', () => {
    const state = after();
    all(state, text('one'), name('enter'), text('two'), name('enter'), name('up'), name('up'));
    expect(state.view.input.text).toBe('one');
    all(state, name('down'), name('down'));
    expect(state.view.input.text).toBe('');
  });

  test('a paste in a pane presses no keys', () => {
    const state = after();
    all(state, name('tab'));
    expect(all(state, text('qqq'))).toBeUndefined();
  });
});

describe('panes', () => {
  test('tab, arrows and numbers change the pane', () => {
    const state = after();
    all(state, name('tab'));
    expect(state.view.pane).toBe('turns');
    all(state, name('right'), name('right'));
    expect(state.view.pane).toBe('log');
    all(state, text('6'));
    expect(state.view.pane).toBe('health');
    all(state, name('tab'));
    expect(state.view).toMatchObject({ pane: 'chat', typing: true });
    all(state, name('shift-tab'));
    expect(state.view.pane).toBe('health');
    all(state, name('alt-3'));
    expect(state.view.pane).toBe('plugins');
  });

  test('pages scroll, and never further than there is', () => {
    const state = after(...Array.from({ length: 20 }, () => clockTurn).flat());
    shown(state);
    all(state, name('pageup'));
    expect(state.view.scroll.chat).toBe(17);
    for (let i = 0; i < 20; i++) all(state, name('pageup'));
    expect(shown(state).join('\n')).toContain('more rows below');
    for (let i = 0; i < 40; i++) all(state, name('pagedown'));
    expect(state.view.scroll.chat).toBe(0);
  });

  test('l goes through the log levels', () => {
    const state = after();
    all(state, name('escape'), text('l'));
    expect(state.view.level).toBe('warn');
    all(state, text('l'), text('l'), text('l'));
    expect(state.view.level).toBe('info');
  });
});

describe('what is asked of the world', () => {
  test('u shows what was changed in notes; a change is looked at before it is taken back', () => {
    const state = after();
    expect(all(state, name('escape'), text('u'))).toEqual({ do: 'list-changes' });
    const change = { at, path: 'MEMORY.md', kind: 'append' as const, added: 1, removed: 0 };
    state.view.overlay = {
      kind: 'changes',
      list: [
        { ...change, n: 2 },
        { ...change, n: 1, undoneBy: 2 },
      ],
      at: 0,
    };
    expect(all(state, text('u'))).toBeUndefined();
    expect(all(state, name('enter'))).toEqual({ do: 'show-change', n: 2 });
    Object.assign(state.view.overlay, { diff: { text: '@@\n-old\n+new', from: 0 } });
    expect(all(state, text('u'))).toEqual({ do: 'undo', n: 2 });
    all(state, name('escape'), name('down'));
    Object.assign(state.view.overlay, { diff: { text: '', from: 0 } });
    expect(all(state, text('u'))).toBeUndefined();
    all(state, name('escape'), name('escape'));
    expect(state.view.overlay).toBeUndefined();
  });

  test('/ searches memory, enter again copies the place found', () => {
    const state = after();
    all(state, name('escape'), text('/'), text('bicycle'));
    expect(all(state, name('enter'))).toEqual({ do: 'search', query: 'bicycle' });
    const { overlay } = state.view;
    if (overlay?.kind !== 'search') throw new Error('no search');
    Object.assign(overlay, {
      asked: 'bicycle',
      busy: false,
      hits: [{ path: 'MEMORY.md', line: 3, heading: '', snippet: 'Gudrun', score: 1 }],
    });
    expect(shown(state).join('\n')).toContain('MEMORY.md#3');
    expect(all(state, name('enter'))).toEqual({ do: 'copy', text: 'MEMORY.md#3' });
    expect(state.view.overlay).toBeUndefined();
  });

  test('m lists models, what is typed filters them, enter chooses', () => {
    const state = after();
    expect(all(state, name('escape'), text('m'))).toEqual({ do: 'list-models' });
    state.view.overlay = {
      kind: 'pick',
      what: 'model',
      query: '',
      choices: ['openai/gpt-5', 'ollama/qwen3:4b', 'ollama/llama3'],
      at: 0,
    };
    all(state, text('ollama'), name('down'));
    expect(shown(state).join('\n')).not.toContain('gpt-5');
    expect(all(state, name('enter'))).toEqual({ do: 'set-model', model: 'ollama/llama3' });
  });

  test('the end of a name fits better than letters within a word', () => {
    const models = ['gemini/gemini-pro', 'gemini/gemini-flash', 'openai/gpt-5.4-mini', 'openai/gpt-5', 'x/minimal'];
    expect(fitting(models, 'mini')).toEqual([
      'openai/gpt-5.4-mini',
      'x/minimal',
      'gemini/gemini-pro',
      'gemini/gemini-flash',
    ]);
    expect(fitting(models, 'gpt-5')).toEqual(['openai/gpt-5', 'openai/gpt-5.4-mini']);
    expect(fitting(models, 'flash GEM')).toEqual(['gemini/gemini-flash']);
    expect(fitting(models, '')).toEqual(models);
  });

  test('a conversation that is not there yet is made by its name', () => {
    const state = after();
    state.view.overlay = { kind: 'pick', what: 'conversation', query: '', choices: ['cli/default'], at: 0 };
    expect(all(state, text('work'), name('enter'))).toEqual({ do: 'open', conversation: 'cli/work' });
  });

  test('y copies the last answer', () => {
    const state = after(...clockTurn);
    expect(all(state, name('escape'), text('y'))).toEqual({ do: 'copy', text: 'It is noon.' });
  });

  test('a and d answer who asks to be let in, and do nothing when nobody does', () => {
    const state = after({ type: 'pairing.requested', channel: 'telegram', sender: '4711', code: 'ABCD' });
    expect(shown(state).join('\n')).toContain('4711 on telegram asks to talk to px (code ABCD)');
    expect(all(state, name('escape'), text('a'))).toMatchObject({ do: 'approve', pairing: { code: 'ABCD' } });
    expect(all(state, text('d'))).toMatchObject({ do: 'deny', pairing: { sender: '4711' } });
    expect(all(after(), name('escape'), text('a'))).toBeUndefined();
  });

  test('what px asks is looked at whole before it is allowed; refusing it is one key', () => {
    const state = after(...clockTurn, question);
    expect(shown(state).join('\n')).toContain('px asks: post in cli/default');
    expect(shown(state).join('\n')).toContain('May I use post with {"text":"hello"}?');
    expect(all(state, text('a'))).toBeUndefined();
    expect(state.view.overlay).toBeUndefined();
    expect(all(state, name('escape'), text('a'))).toBeUndefined();
    const screen = shown(state).join('\n');
    for (const part of [
      'May I use post? (mcp/slack)',
      '{"text":"hello"}',
      'px.yaml says ask',
      'Ada in',
      'plugin/web-fetch',
    ])
      expect(screen).toContain(part);
    expect(all(state, text('s'))).toEqual({ do: 'decide', id: 'K7MW', decision: 'session' });
    expect(all(state, text('d'))).toEqual({ do: 'decide', id: 'K7MW', decision: 'deny' });
    all(state, text('a'));
    expect(all(state, text('x'))).toBeUndefined();
    // Somebody else was quicker: there is nothing left to press.
    const { conversation, turn, tool, id } = question;
    takeEvent(state, { type: 'approval.decided', at, id, conversation, turn, tool, decision: 'deny', by: 'Ada' });
    expect(state.view.overlay).toBeUndefined();
    expect(all(state, text('d'))).toBeUndefined();
    expect(shown(state).join('\n')).toContain('not allowed: post, by Ada');
  });

  test('ctrl-c stops the turn, and quits when pressed again', () => {
    const state = after(...clockTurn.slice(0, 3));
    expect(press(state, name('ctrl-c'), 24, at + 60_000)).toEqual({ do: 'stop' });
    expect(press(state, name('ctrl-c'), 24, at + 60_500)).toEqual({ do: 'quit' });
  });
});

test('a conversation is a name or channel/chat', () => {
  expect(conversationId('work')).toBe('cli/work');
  expect(conversationId('telegram/4711')).toBe('telegram/4711');
  for (const bad of ['', '/', 'a/b/c', 'UPPER/x', 'x/', 'a/b\u001b', '../x'])
    expect(conversationId(bad)).toBeUndefined();
});
