import { basename } from 'node:path';
import { fromErrorShape, PxError, toPxError } from '../../error/error.ts';
import type { AnswerWriter } from '../../tui/tui.ts';
import type { Attached, ConversationId, TurnEvent } from '../../wire/wire.ts';
import { askPerson, type ReadLine } from '../asking.ts';
import { type Backend, openBackend } from '../backend.ts';
import type { Io } from '../io.ts';
import { terminalLook } from '../look.ts';
import { type Context, verb } from '../verb.ts';

type TurnEnd = Extract<TurnEvent, { type: 'turn.end' }>;

/** `px chat`. */
export const chat = verb({
  name: 'chat',
  summary: 'Say something to the agent; without words, talk with it.',
  details:
    'Talks to the px that runs for this home, or opens the home itself when none runs. What stands on stdin is the message when no words are given.',
  args: {
    text: { type: 'positional', required: false, description: 'What you say.' },
    conversation: {
      type: 'string',
      default: 'default',
      description: 'Which conversation: a name of yours, or channel/chat.',
      valueHint: 'NAME',
    },
    model: { type: 'string', description: 'Model reference or alias, for this message only.', valueHint: 'MODEL' },
    file: { type: 'string', description: 'A picture or document that goes with it.', valueHint: 'PATH' },
    local: { type: 'boolean', description: 'Run in this process, also where a px could be reached.' },
  },
  examples: [
    'px chat "what time is it?"',
    'px chat --local "remember that tea is at five"',
    'px chat --file offer.pdf "what does it cost?"',
    'px chat --conversation work --model openai/gpt-5 "hello"',
    'px chat',
  ],
  variadic: true,
  async run({ args, words, ...context }) {
    const conversation = conversationOf(args.conversation);
    const typed = words.join(' ').trim() || (process.stdin.isTTY ? '' : (await Bun.stdin.text()).trim());
    if (typed === '' && (!process.stdin.isTTY || context.json))
      throw new PxError('usage', 'There is nothing to say.', { hint: 'px chat "what time is it?"' });
    await using backend = await openBackend(context, { local: args.local ?? false });
    const model = args.model === undefined ? {} : { model: args.model };
    if (typed === '') return await converse(context, backend, conversation, model);
    const file = args.file === undefined ? {} : { attachments: [await readAttached(args.file)] };
    return await once(context, backend, conversation, typed, { ...model, ...file });
  },
});

/** A file as it is sent along. */
async function readAttached(path: string): Promise<Attached> {
  const file = Bun.file(path);
  if (!(await file.exists())) throw new PxError('usage', `There is no file ${path}.`, { hint: 'px chat --file PATH' });
  const mime = file.type.split(';')[0] || 'application/octet-stream';
  return { mime, name: basename(path), data: Buffer.from(await file.bytes()).toString('base64') };
}

/** What goes with a message. */
type With = { model?: string; attachments?: Attached[] };

async function once(
  context: Context,
  backend: Backend,
  conversation: ConversationId,
  text: string,
  options: With,
): Promise<number> {
  const { io, json } = context;
  const read = !json && process.stdin.isTTY && process.stderr.isTTY ? readOnce : undefined;
  const out = json ? {} : { out: await answerOut(context) };
  const end = await follow(io, backend, conversation, text, { ...options, ...out, ...(read ? { read } : {}) });
  if (json) {
    const { text: answer, model, turn, reason, error } = end;
    io.data({ answer, model, conversation, turn, reason, ...(error ? { error } : {}) });
  }
  if (end.reason === 'aborted') return 130;
  if (end.error && !json && !end.text.includes(end.error.message)) complain(io, end);
  return end.error ? 1 : 0;
}

/** Where Ctrl-C is heard: the process, or the line editor, which keeps the terminal from turning it into a signal. */
type Interrupts = Pick<NodeJS.EventEmitter, 'once' | 'off' | 'listenerCount'>;

/** Where an answer goes: to a person drawn from its Markdown, to a program as it is. */
async function answerOut({ io, env }: Context): Promise<AnswerWriter> {
  if (io.tty && env.get('TERM') !== 'dumb') {
    const { stdout } = process;
    const screen = {
      get columns() {
        return stdout.columns || 80;
      },
      get rows() {
        return stdout.rows || 24;
      },
      write: (bytes: string) => void stdout.write(bytes),
    };
    return (await import('../../tui/tui.ts')).answerWriter(screen, terminalLook(env));
  }
  let open = false;
  return {
    take(text) {
      io.stream(text);
      open = !text.endsWith('\n');
    },
    end() {
      if (open) io.line();
      open = false;
    },
  };
}

/** Follows one turn, printing what arrives, to `out` when there is one. Ctrl-C stops the turn, wherever it runs. */
async function follow(
  io: Io,
  backend: Backend,
  conversation: ConversationId,
  text: string,
  options: With & { out?: AnswerWriter; interrupts?: Interrupts; read?: ReadLine },
): Promise<TurnEnd> {
  const { client } = backend;
  const { interrupts = process, read, out, ...rest } = options;
  const stop = () => void client.stop(conversation).catch(() => {});
  interrupts.once('SIGINT', stop);
  let asking = Promise.resolve();
  const questions = new Map<string, AbortController>();
  try {
    for await (const event of client.follow(conversation, text, rest)) {
      if (event.type === 'turn.end') return event;
      if (event.type === 'approval.asked') {
        out?.end();
        // Not waited for: px goes on when somebody answers elsewhere. One question at a time is on the screen.
        const over = new AbortController();
        questions.set(event.id, over);
        asking = asking
          .then(() => askPerson(io, backend, event, over.signal, read))
          .catch((thrown: unknown) => complain(io, { error: toPxError(thrown).toJSON() }));
      } else if (event.type === 'approval.decided') questions.get(event.id)?.abort();
      if (event.type === 'turn.text') out?.take(event.text);
      else if (event.type === 'turn.tool' && out && io.tty) {
        out.end();
        io.line(io.dim(`· ${event.call.name} ${JSON.stringify(event.call.args).slice(0, 200)}`));
      }
    }
  } finally {
    out?.end();
    for (const over of questions.values()) over.abort();
    interrupts.off('SIGINT', stop);
  }
  throw new PxError('gateway.unreachable', 'px stopped before it had answered.', {
    hint: 'Start it again with `px serve`; it goes on where it was.',
    retryable: true,
  });
}

async function converse(
  context: Context,
  backend: Backend,
  conversation: ConversationId,
  options: { model?: string },
): Promise<number> {
  const { io } = context;
  const out = await answerOut(context);
  const { createInterface } = await import('node:readline/promises');
  const { default: ref } = await backend.client.models();
  io.line(io.dim(`${ref.ref} (${ref.why})\n/help lists commands, Ctrl-C stops an answer, Ctrl-D ends`));
  const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: '› ' });
  let answering = false;
  lines.on('SIGINT', () => {
    if (answering) return;
    io.line();
    lines.close();
  });
  // One line at a time, to whoever asks for the next: the conversation, or a question of px within an answer.
  const typed: string[] = [];
  let ended = false;
  let wake = () => {};
  lines.on('line', (line) => {
    typed.push(line);
    wake();
  });
  lines.once('close', () => {
    ended = true;
    wake();
  });
  const next = async (prompt: string, over?: AbortSignal): Promise<string | undefined> => {
    lines.setPrompt(prompt);
    lines.prompt();
    while (typed.length === 0 && !ended && !over?.aborted)
      await new Promise<void>((resolve) => {
        wake = resolve;
        over?.addEventListener('abort', () => resolve(), { once: true });
      });
    return over?.aborted ? undefined : typed.shift();
  };
  // What was typed before a question is not its answer.
  const read: ReadLine = (prompt, over) => {
    typed.length = 0;
    return next(prompt, over);
  };
  for (;;) {
    const line = await next('› ');
    const text = line?.trim();
    if (text === undefined || text === '/quit' || text === '/exit') break;
    if (text === '') continue;
    answering = true;
    const end = await follow(io, backend, conversation, text, { ...options, out, interrupts: lines, read });
    answering = false;
    if (end.error && !end.text.includes(end.error.message)) complain(io, end);
  }
  lines.close();
  return 0;
}

/** One line from the terminal, for a single question. */
async function readOnce(prompt: string, over: AbortSignal): Promise<string | undefined> {
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await new Promise((resolve) => {
      lines.once('close', () => resolve(undefined));
      void lines.question(prompt, { signal: over }).then(resolve, () => resolve(undefined));
    });
  } finally {
    lines.close();
  }
}

function complain(io: Io, end: Pick<TurnEnd, 'error'>): void {
  if (!end.error) return;
  const error = fromErrorShape(end.error);
  io.note(`px: ${error.message}`);
  if (error.hint) io.note(`    ${error.hint}`);
}

function conversationOf(name: string): ConversationId {
  const [channel, chat, ...more] = name.includes('/') ? name.split('/') : ['cli', name];
  if (channel && chat && more.length === 0 && /^[a-z][a-z0-9-]{0,62}$/.test(channel)) return `${channel}/${chat}`;
  throw new PxError('usage', `"${name}" is not a conversation.`, { hint: 'Give a name like work, or channel/chat.' });
}
