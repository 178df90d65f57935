import type { ConversationId } from '../wire/wire.ts';
import { pressInChanges } from './changes.ts';
import { pageRows } from './frame.ts';
import { edit } from './input.ts';
import type { Key } from './keys.ts';
import { choices } from './overlay.ts';
import { levels, type Overlay, type Pane, panes, running, type State, toast } from './state.ts';

/** What a key asks the world for; all else it does to the state itself. */
export type Effect =
  | { do: 'quit' | 'suspend' | 'redraw' | 'stop' | 'list-models' | 'list-conversations' | 'list-changes' }
  | { do: 'show-change' | 'undo'; n: number }
  | { do: 'say'; text: string }
  | { do: 'search'; query: string }
  | { do: 'set-model'; model: string }
  | { do: 'open'; conversation: ConversationId }
  | { do: 'copy'; text: string }
  | { do: 'approve' | 'deny'; pairing: State['pairings'][number] }
  | { do: 'decide'; id: string; decision: 'once' | 'session' | 'time' | 'deny' };

/** What a second Ctrl-C within this many milliseconds does: quit. */
const quitMs = 2000;
let interruptedAt = 0;

/** Takes one key into the state. `rows` is the height of the screen. */
export function press(state: State, key: Key, rows: number, now = Date.now()): Effect | undefined {
  const { view } = state;
  const name = 'name' in key ? key.name : '';
  if (name === 'ctrl-z') return { do: 'suspend' };
  if (name === 'ctrl-l') return { do: 'redraw' };
  if (name === 'ctrl-c') return interrupt(state, now);
  if (view.overlay) return inOverlay(state, view.overlay, key);
  if (name === 'tab' || name === 'shift-tab') return move(state, name === 'tab' ? 1 : -1);
  if (name === 'f1') return open(state, { kind: 'help' });
  const numbered = /^alt-([1-6])$/.exec(name)?.[1];
  if (numbered) return show(state, panes[Number(numbered) - 1]);
  if (scrolled(state, name, rows)) return undefined;
  return view.typing && view.pane === 'chat' ? typed(state, key) : commanded(state, key);
}

function interrupt(state: State, now: number): Effect | undefined {
  const runs = running(state).some((turn) => turn.conversation === state.conversation);
  if (now - interruptedAt < quitMs) return { do: 'quit' };
  interruptedAt = now;
  toast(state, runs ? 'Stopping the turn. Ctrl-C again: quit' : 'Ctrl-C again: quit', false, now);
  return runs ? { do: 'stop' } : undefined;
}

function move(state: State, by: number): undefined {
  const at = panes.indexOf(state.view.pane);
  return show(state, panes[(at + by + panes.length) % panes.length]);
}

function show(state: State, pane: Pane | undefined): undefined {
  if (!pane) return;
  state.view.pane = pane;
  state.view.typing = pane === 'chat';
}

function open(state: State, overlay: Overlay): undefined {
  state.view.overlay = overlay;
}

/** Up is towards what is older, or stands higher. */
function scrolled(state: State, name: string, rows: number): boolean {
  const { view } = state;
  const { pane } = view;
  const lines = view.typing ? 0 : 1;
  const far = Number.MAX_SAFE_INTEGER;
  const up: Record<string, number> = {
    pageup: pageRows(rows),
    pagedown: -pageRows(rows),
    ...(view.typing ? {} : { up: lines, down: -lines, home: far, end: -far }),
  };
  const by = up[name];
  if (by === undefined) return false;
  const rests = pane === 'chat' || pane === 'log' || pane === 'plugins';
  view.scroll[pane] = Math.max(0, Math.min(view.rows[pane], view.scroll[pane] + (rests ? by : -by)));
  return true;
}

function typed(state: State, key: Key): Effect | undefined {
  const { view } = state;
  const name = 'name' in key ? key.name : '';
  if (name === 'escape') {
    view.typing = false;
    return undefined;
  }
  if (name === 'enter') {
    const text = view.input.text.trim();
    if (text === '') return undefined;
    if (state.link !== 'live') {
      toast(state, 'px is not connected; your message stays here.', true);
      return undefined;
    }
    view.history.said = [...view.history.said.filter((one) => one !== text), text].slice(-100);
    view.history.at = view.history.said.length;
    view.input = { text: '', caret: 0 };
    view.scroll.chat = 0;
    return { do: 'say', text };
  }
  if (name === 'up' || name === 'down') return recall(state, name === 'up' ? -1 : 1);
  view.input = edit(view.input, key) ?? view.input;
  return undefined;
}

function recall(state: State, by: number): undefined {
  const { history } = state.view;
  const at = history.at + by;
  if (at < 0 || at > history.said.length) return;
  history.at = at;
  const text = history.said[at] ?? '';
  state.view.input = { text, caret: text.length };
}

/** Keys while nothing is typed. */
function commanded(state: State, key: Key): Effect | undefined {
  const { view } = state;
  const name = 'name' in key ? key.name : '';
  if (name === 'left' || name === 'right') return move(state, name === 'right' ? 1 : -1);
  if (name === 'enter') return show(state, 'chat');
  // Several letters at once are a paste or a fast typist: each is a key, but a paste must not press them all.
  const letter = 'text' in key && key.text.length === 1 ? key.text : '';
  const pairing = state.pairings[0];
  const question = state.approvals[0];
  switch (letter) {
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
      return show(state, panes[Number(letter) - 1]);
    case 'i':
      return show(state, 'chat');
    case '/':
      return open(state, { kind: 'search', query: '', asked: '', hits: [], at: 0, busy: false });
    case '?':
      return open(state, { kind: 'help' });
    case 'm':
      return { do: 'list-models' };
    case 'c':
      return { do: 'list-conversations' };
    case 'u':
      return { do: 'list-changes' };
    case 'l':
      view.level = levels[(levels.indexOf(view.level) + 1) % levels.length] ?? 'info';
      return undefined;
    case 's':
      return { do: 'stop' };
    case 'y': {
      const last = state.chat.findLast((item) => item.kind === 'agent');
      if (last?.kind === 'agent') return { do: 'copy', text: last.text };
      toast(state, 'There is no answer to copy yet.', true);
      return undefined;
    }
    case 'a':
    case 'd':
      // What px wants to do is read before it is allowed; refusing it needs no reading.
      if (question && letter === 'd') return { do: 'decide', id: question.id, decision: 'deny' };
      if (question) return open(state, { kind: 'ask', approval: question });
      return pairing && { do: letter === 'a' ? 'approve' : 'deny', pairing };
    case 'q':
      return { do: 'quit' };
    default:
      return undefined;
  }
}

function inOverlay(state: State, overlay: Overlay, key: Key): Effect | undefined {
  const { view } = state;
  const name = 'name' in key ? key.name : '';
  const close = () => {
    view.overlay = undefined;
  };
  if (overlay.kind === 'changes') return pressInChanges(overlay, key, close);
  if (name === 'escape' || overlay.kind === 'help') {
    close();
    return undefined;
  }
  if (overlay.kind === 'ask') {
    const letter = 'text' in key && key.text.length === 1 ? key.text : '';
    const decision = ({ a: 'once', s: 'session', h: 'time', d: 'deny' } as const)[letter];
    if (decision === undefined) return undefined;
    close();
    return { do: 'decide', id: overlay.approval.id, decision };
  }
  const size = overlay.kind === 'pick' ? choices(overlay).length : overlay.hits.length;
  if (name === 'up' || name === 'down') {
    overlay.at = Math.max(0, Math.min(size - 1, overlay.at + (name === 'up' ? -1 : 1)));
    return undefined;
  }
  if (name === 'enter') {
    if (overlay.kind === 'pick') {
      close();
      return chosen(overlay);
    }
    const hit = overlay.hits[overlay.at];
    if (hit && overlay.query === overlay.asked) {
      close();
      return { do: 'copy', text: `${hit.path}#${hit.line}` };
    }
    if (overlay.query.trim() === '') return undefined;
    overlay.busy = true;
    return { do: 'search', query: overlay.query };
  }
  const line = edit({ text: overlay.query, caret: overlay.query.length }, key);
  if (!line) return undefined;
  overlay.query = line.text.replaceAll('\n', ' ').slice(0, 500);
  if (overlay.kind === 'pick') overlay.at = 0;
  return undefined;
}

function chosen(overlay: Extract<Overlay, { kind: 'pick' }>): Effect | undefined {
  const choice = choices(overlay)[overlay.at];
  if (overlay.what === 'model') return choice === undefined ? undefined : { do: 'set-model', model: choice };
  const id = conversationId(choice ?? overlay.query.trim());
  return id && { do: 'open', conversation: id };
}

/** `channel/chat`, or a name of one's own: `work` is `cli/work`. Undefined when it is neither. */
export function conversationId(name: string): ConversationId | undefined {
  const [channel, chat, ...more] = name.includes('/') ? name.split('/') : ['cli', name];
  const good =
    channel &&
    chat &&
    more.length === 0 &&
    /^[a-z][a-z0-9-]{0,62}$/.test(channel) &&
    !/[\u0000-\u001f\u007f\\]/.test(chat);
  return good && chat.length <= 200 ? `${channel}/${chat}` : undefined;
}
