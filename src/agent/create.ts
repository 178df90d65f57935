import type { Channels } from '../channel/channel.ts';
import type { ConfigStore } from '../config/config.ts';
import { toPxError } from '../error/error.ts';
import type { Log } from '../log/log.ts';
import type { Memory } from '../memory/memory.ts';
import type { Models } from '../model/model.ts';
import type { Approvals } from '../policy/policy.ts';
import type { Sessions } from '../session/session.ts';
import type { Tools } from '../tool/tool.ts';
import type { Approval, Bus, Inbound, ModelRef } from '../wire/wire.ts';
import type { Agent, TurnInput, TurnResult } from './agent.ts';
import { findCommand } from './command/command.ts';
import { forOneMessage } from './command/model.ts';
import { asCommand } from './command/word.ts';
import { Gate, type Who, whoOf } from './gate.ts';
import { visible } from './notice.ts';
import { none } from './step.ts';
import { Turn } from './turn.ts';

/** What {@link createAgent} is made from. */
export interface AgentOptions {
  models: Models;
  tools: Tools;
  sessions: Sessions;
  memory: Memory;
  config: Pick<ConfigStore, 'current'>;
  log: Log;
  bus: Bus;
  /** Takes known secrets out of what people write, before it is journalled or sent to a model. */
  scrub?: (text: string) => string;
  /** Where calls wait for a person's word; without it what needs one is denied. */
  approvals?: Approvals;
  /** Pairing and links, for the commands that change them. */
  channels?: Pick<Channels, 'linkCode' | 'link' | 'pairing'>;
  /** Who wrote a message; without it everybody is the owner. */
  who?: (inbound: Inbound) => Who;
  /** Brings a question to the person who may answer it. */
  tell?: (approval: Approval, inbound: Inbound) => void;
}

/** Makes the agent. */
export function createAgent(options: AgentOptions): Agent {
  const { bus, log } = options;

  /** Answers a command as if it were a turn, so that every surface shows it the same way. */
  const command = async (turn: string, model: ModelRef, input: TurnInput, signal: AbortSignal): Promise<TurnResult> => {
    const found = commandOf(input.inbound, input.inbound.text);
    const { conversation } = input.inbound;
    const answer = (await found?.run({ ...options, inbound: input.inbound, signal })) ?? '';
    const { text, choices } = typeof answer === 'string' ? { text: answer } : answer;
    bus.emit({ type: 'turn.text', conversation, turn, text });
    return { turn, conversation, model, reason: 'stop', text, usage: none(), ...(choices ? { choices } : {}) };
  };

  const meant = (inbound: Inbound) => asCommand(inbound, () => whoOf(options, inbound).from, options.approvals);
  /** The command a message is. Nobody types what a script hands on, which may be anybody's words, or what a job asks: it is text. */
  const commandOf = (inbound: Inbound, text = meant(inbound)) =>
    whoOf(options, inbound).from === 'schedule' ? undefined : findCommand(text);
  /** A text for one model only; a guest chooses none. */
  const once = (inbound: Inbound) => {
    const asked = forOneMessage(inbound.text);
    return asked && whoOf(options, inbound).from === 'owner' ? asked : undefined;
  };

  return {
    callContext: (inbound, turn, call, signal) =>
      new Gate(options, inbound, turn, { pause: () => () => {} }).context(call, signal),
    command: (inbound) => once(inbound) === undefined && commandOf(inbound) !== undefined,
    urgent: (inbound) => once(inbound) === undefined && (commandOf(inbound)?.urgent ?? false),
    async turn(given, signal) {
      const scrub = options.scrub ?? ((text: string) => text);
      const clean = (inbound: Inbound) => ({ ...inbound, text: scrub(meant(inbound)) });
      const steer = () => given.steer?.().map(clean) ?? [];
      const asked = clean(given.inbound);
      const own = once(asked);
      const inbound = own ? { ...asked, text: own.text } : asked;
      const input = { ...given, inbound, steer, ...(own ? { model: own.model } : {}) };
      const { conversation, id: messageId, text } = input.inbound;
      let turn = crypto.randomUUID().slice(0, 8);
      let model: ModelRef = options.models.default.ref;
      let started = false;
      const start = () => {
        if (!started) bus.emit({ type: 'turn.start', conversation, turn, model, messageId });
        started = true;
      };
      let result: TurnResult;
      try {
        const session = await options.sessions.open(conversation);
        model = input.model === undefined ? (session.model ?? model) : options.models.resolve(input.model);
        const chosen = input.model !== undefined || session.model !== undefined;
        const run = new Turn(options, input, turn, { model, chosen, signal });
        const isCommand = own === undefined && commandOf(inbound, text) !== undefined;
        if (!isCommand && input.leftOver) turn = await run.recall();
        start();
        result = isCommand ? await command(turn, model, input, signal) : await run.answer();
      } catch (thrown) {
        const error = toPxError(thrown).toJSON();
        log.error(`a turn failed: ${error.message}`, { conversation, code: error.code });
        result = {
          turn,
          conversation,
          model,
          reason: 'error',
          text: visible('', 'error', error),
          usage: none(),
          error,
        };
        start();
        bus.emit({ type: 'turn.text', conversation, turn, text: result.text });
      }
      const { reason, error } = result;
      bus.emit({ type: 'turn.end', conversation, turn, model, reason, text: result.text, ...(error ? { error } : {}) });
      return result;
    },
  };
}
