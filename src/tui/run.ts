import { constants } from 'node:os';
import { bothSides, type Client } from '../client/client.ts';
import { toPxError } from '../error/error.ts';
import { frame } from './frame.ts';
import { chatOf } from './journal.ts';
import { createKeyReader } from './keys.ts';
import { createLink } from './link.ts';
import { type Effect, press } from './press.ts';
import { takeEvent, takeStatus } from './reduce.ts';
import { createScreen } from './screen.ts';
import { emptyState, push, running, toast } from './state.ts';
import type { Terminal } from './terminal.ts';
import type { TuiOptions } from './tui.ts';

/** The shortest time between two frames, and how long a lone escape waits for the rest of a sequence, in ms. */
const frameMs = 40;
const escapeMs = 50;
/** How often the daemon is asked how it is: while its health is looked at, and else. Asking keeps it from resting. */
const statusMs = { looking: 2_000, else: 10_000 };
/** Journal entries read when a conversation is opened. */
const entries = 200;
/** The most that is handed to a terminal's clipboard, in bytes: many take no more. */
const maxCopy = 74_000;

/** Runs the monitor on a terminal until it is left; the exit code. */
export async function run(options: TuiOptions, terminal: Terminal): Promise<number> {
  const { ascii, colour, linuxConsole = false } = options;
  const look = { ascii, colour, linuxConsole };
  const state = emptyState(options.conversation);
  const screen = createScreen(terminal, look);
  const keys = createKeyReader();
  const left = Promise.withResolvers<number>();

  let frameTimer: ReturnType<typeof setTimeout> | undefined;
  let paintedAt = 0;
  const paint = () => {
    frameTimer = undefined;
    // A slow line (SSH) gets the newest frame when it has taken the one before.
    if (terminal.busy) return draw();
    paintedAt = performance.now();
    screen.paint(frame(state, terminal.columns, terminal.rows, look));
  };
  const draw = () => {
    frameTimer ??= setTimeout(paint, Math.max(0, paintedAt + frameMs - performance.now()));
  };

  const trouble = (thrown: unknown) => {
    const error = toPxError(thrown);
    toast(state, error.hint ? `${error.message} ${error.hint}` : error.message, true);
    draw();
  };
  /** Does something that the connection is needed for. */
  const ask = async (work: (client: Client) => Promise<void>) => {
    if (!link.client) return toast(state, 'px is not connected.', true);
    await work(link.client).catch(trouble);
    draw();
  };

  const openConversation = (id: typeof state.conversation) =>
    ask(async (client) => {
      const shown = await client.conversation(id, entries);
      state.conversation = id;
      state.model = shown.model ?? undefined;
      state.chat = chatOf(shown.entries);
      state.view.scroll.chat = 0;
      state.view.pane = 'chat';
      state.view.typing = true;
    });
  let statusAt = 0;
  const readStatus = () =>
    ask(async (client) => {
      statusAt = performance.now();
      takeStatus(state, await client.status());
    });
  const samples = setInterval(() => {
    const looks = state.view.pane === 'health' || (state.view.pane === 'chat' && terminal.columns >= 110);
    if (link.client && performance.now() - statusAt >= (looks ? statusMs.looking : statusMs.else) - 100)
      void readStatus();
    // Times of what runs go on, a line that was shown long enough goes.
    else if (running(state).length > 0 || state.view.toast) draw();
  }, 1000);

  const link = createLink(options.client, options.connect, {
    up(client) {
      const before = state.link;
      state.link = 'live';
      state.url = client.url;
      // What ran when the connection broke is told anew, or ended unseen.
      for (const turn of running(state)) Object.assign(turn, { endedAt: Date.now(), reason: 'unknown' });
      const { pane, typing } = state.view;
      void openConversation(state.conversation).then(() => Object.assign(state.view, { pane, typing }));
      void readStatus();
      void ask(async (found) => {
        for (const one of await found.pairings())
          if (one.state === 'pending') takeEvent(state, { type: 'pairing.requested', ...one, at: one.at });
        const { approvals } = await found.approvals.list();
        // What was decided while the connection was gone asks no more.
        state.approvals = approvals.map((one) => ({ ...one, conversation: one.conversation as `${string}/${string}` }));
      });
      if (before === 'lost') toast(state, 'Connected again.');
      draw();
    },
    event(event) {
      takeEvent(state, event);
      if (event.type === 'turn.end' || event.type === 'plugin.started') void readStatus();
      draw();
    },
    refused: trouble,
    down() {
      state.link = 'lost';
      push(state.log, { at: Date.now(), level: 'warn', scope: 'tui', message: 'the connection to px broke' }, 1000);
      draw();
    },
  });

  const copy = (text: string) => {
    const bytes = Buffer.from(text);
    if (bytes.length > maxCopy) return toast(state, 'This is too long for a terminal clipboard.', true);
    terminal.write(`\u001b]52;c;${bytes.toString('base64')}\u0007`);
    toast(state, `Copied ${[...text].length} characters, if this terminal takes OSC 52.`);
  };
  const perform = (effect: Effect): unknown => {
    switch (effect.do) {
      case 'quit':
        return left.resolve(0);
      case 'suspend':
        return terminal.suspend();
      case 'redraw':
        return screen.forget();
      case 'say':
        return link.say(state.conversation, effect.text);
      case 'copy':
        return copy(effect.text);
      case 'stop':
        return ask(async (client) => {
          if (!(await client.stop(state.conversation))) toast(state, 'No turn runs in this conversation.');
        });
      case 'list-models':
        return ask(async (client) => {
          const { models } = await client.models();
          // What answers now is one of them, also where its provider does not list it.
          const now = state.model ?? state.status?.model.ref;
          const names = [...new Set([...(now === undefined ? [] : [now]), ...models.map((model) => model.ref)])];
          state.view.overlay = { kind: 'pick', what: 'model', query: '', choices: names, at: 0 };
        });
      case 'list-conversations':
        return ask(async (client) => {
          const names = (await client.conversations()).map((one) => one.conversation);
          state.view.overlay = { kind: 'pick', what: 'conversation', query: '', choices: names, at: 0 };
        });
      case 'set-model':
        return ask(async (client) => {
          const { model } = await client.setModel(state.conversation, effect.model);
          state.model = model;
          toast(state, `From now on ${model} answers here.`);
        });
      case 'open':
        return openConversation(effect.conversation);
      case 'search':
        return ask(async (client) => {
          const hits = await client.search(effect.query, { limit: 20 });
          const { overlay } = state.view;
          if (overlay?.kind === 'search') Object.assign(overlay, { hits, asked: effect.query, at: 0, busy: false });
        });
      case 'list-changes':
        return ask(async (client) => {
          state.view.overlay = { kind: 'changes', list: await client.changes({ limit: 200 }), at: 0 };
        });
      case 'show-change':
        return ask(async (client) => {
          const { diff } = await client.diff(effect.n);
          const { overlay } = state.view;
          if (overlay?.kind === 'changes') overlay.diff = { text: diff, from: 0 };
        });
      case 'undo':
        return ask(async (client) => {
          const done = await client.undo(effect.n).catch((thrown: unknown) => {
            const { overlay } = state.view;
            const text = bothSides(thrown);
            if (overlay?.kind === 'changes' && text !== undefined) overlay.diff = { text, from: 0, clash: true };
            throw thrown;
          });
          const kept = done.state === 'merged' ? ' What was written there since stays.' : '';
          toast(
            state,
            done.state === 'nothing'
              ? `${done.path} is already as it was.`
              : `Taken back: change ${effect.n} of ${done.path}.${kept}`,
          );
          state.view.overlay = { kind: 'changes', list: await client.changes({ limit: 200 }), at: 0 };
        });
      case 'decide':
        return ask(async (client) => {
          await client.approvals.decide(effect.id, effect.decision, 60);
          state.approvals = state.approvals.filter((one) => one.id !== effect.id);
        });
      case 'approve':
      case 'deny':
        return ask(async (client) => {
          const { channel, sender, code } = effect.pairing;
          if (effect.do === 'approve') await client.approvePairing(code);
          else await client.revokePairing(channel, sender);
          state.pairings = state.pairings.filter((one) => one.code !== code);
          toast(state, effect.do === 'approve' ? `${sender} may talk to px now.` : `${sender} was turned away.`);
        });
    }
  };

  let escapeTimer: ReturnType<typeof setTimeout> | undefined;
  const pressed = (list: ReturnType<typeof keys.read>) => {
    for (const key of list) {
      const effect = press(state, key, terminal.rows);
      if (effect) void perform(effect);
    }
    draw();
  };
  terminal.onInput((chunk) => {
    clearTimeout(escapeTimer);
    pressed(keys.read(chunk));
    if (keys.waiting) escapeTimer = setTimeout(() => pressed(keys.idle()), escapeMs);
  });
  terminal.onResize(() => {
    screen.forget();
    draw();
  });
  terminal.onGone((signal) => left.resolve(128 + (constants.signals[signal] ?? 0)));
  draw();

  try {
    return await left.promise;
  } finally {
    clearInterval(samples);
    clearTimeout(frameTimer);
    clearTimeout(escapeTimer);
    link.close();
    terminal.restore();
  }
}
