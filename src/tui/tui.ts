import type { Client } from '../client/client.ts';
import type { ConversationId } from '../wire/wire.ts';

export { type AnswerWriter, answerWriter } from './answer.ts';
export { fitting } from './fitting.ts';
export type { Look } from './look.ts';
export { conversationId } from './press.ts';
export { checkTerminal } from './terminal.ts';

/** What the monitor is started with. */
export interface TuiOptions {
  /** A px that answers. */
  client: Client;
  /** Finds it again after a restart; undefined while none runs. */
  connect(): Promise<Client | undefined>;
  conversation: ConversationId;
  /** Only ASCII is drawn, other text as its nearest ASCII. */
  ascii: boolean;
  /** As {@link Look} has it. */
  linuxConsole?: boolean;
  colour: boolean;
}

/**
 * Takes the terminal and shows a running px until the person quits: chat, turns, plugins, log, models, health. The exit code: 0, or
 * 128 and the signal that ended it. The terminal is given back on every way out.
 */
export async function runTui(options: TuiOptions): Promise<number> {
  const [{ openTerminal }, { run }] = await Promise.all([import('./terminal.ts'), import('./run.ts')]);
  return run(options, openTerminal());
}
