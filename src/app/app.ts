import { join } from 'node:path';
import { type Agent, commandMenu, createAgent, createSchedule, type Schedule, scheduleTools } from '../agent/agent.ts';
import { type Channels, channelTools, openChannels, openPeople } from '../channel/channel.ts';
import { type ConfigStore, type Environment, type Home, initHome, openConfig } from '../config/config.ts';
import { PxError, toPxError } from '../error/error.ts';
import {
  createLog,
  isJournal,
  journalLogSink,
  type LogRoot,
  type LogSink,
  markdownLogSink,
  terminalLogSink,
} from '../log/log.ts';
import { type Memory, openMemory } from '../memory/memory.ts';
import { type Models, openModels } from '../model/model.ts';
import { openPlugins, type Plugins } from '../plugin/plugin.ts';
import { type Approvals, openApprovals, standingPage } from '../policy/policy.ts';
import { openSecrets, type Secrets } from '../secret/secret.ts';
import { createSessions, type Sessions } from '../session/session.ts';
import { openStore } from '../store/store.ts';
import { createTools, type Mcp, openMcp, type Tool, type Tools } from '../tool/tool.ts';
import { type Bus, type ConversationId, createBus, type Inbound, type ModelRef, type Status } from '../wire/wire.ts';
import { createAnswering, within } from './answering.ts';
import { tellApproval } from './asking.ts';
import { createBackground } from './background.ts';
import { drain } from './drain.ts';
import { lockHome } from './lock.ts';
import { writeStarterNotes } from './starter.ts';
import { statusOf, watchPids } from './status.ts';

export { type HomeLock, lockHome } from './lock.ts';
export { openNotify } from './notify.ts';
export { executablePageDropper } from './pages.ts';

/** What px is started with. */
export interface AppOptions {
  home: Home;
  env: Environment;
  version: string;
  /** Where the log is shown beside the Markdown log and the bus; standard error when left out. */
  log?: LogSink;
  /** For the time of one verb: no log on a terminal, no connectors, no watchers, and old messages wait for a real start. */
  quiet?: boolean;
}

/** A running px: its services, wired together. */
export interface App {
  readonly version: string;
  readonly home: Home;
  readonly config: ConfigStore;
  readonly secrets: Secrets;
  readonly memory: Memory;
  readonly models: Models;
  readonly plugins: Plugins;
  readonly tools: Tools;
  readonly mcp: Mcp;
  readonly channels: Channels;
  readonly approvals: Approvals;
  readonly sessions: Sessions;
  readonly agent: Agent;
  readonly schedule: Schedule;
  readonly bus: Bus;
  readonly log: LogRoot;
  status(): Status;
  /**
   * Takes a message in, durably; its turn is on the bus (`turn.start` names it). False when its id was seen before.
   * `metadata.model` chooses a model for this message. Throws PxError `channel.unknown`, `gateway.stopping`.
   */
  submit(inbound: Inbound): boolean;
  /** Chooses a conversation's model from the next message on; undefined follows px.yaml. Throws PxError `model.unknown`. */
  setModel(conversation: ConversationId, model: ModelRef | undefined): Promise<void>;
  /** Resolves when what is done after the start is done: carried plugins installed, notes indexed, Ollama looked for. */
  settled(): Promise<void>;
  /** Tells that px is in use in a way the bus does not show (an API request), so that memory is not given back right now. */
  touch(): void;
  /** Throws when px cannot take messages: a database does not answer, or px stops. */
  ready(): void;
  /** Takes no more messages and lets running turns end, for at most so many ms; `close` cuts the others, and they go on after the next start. */
  drain(ms: number): Promise<void>;
  /** Stops: no more messages, running turns get a moment, everything is closed. Calling it again waits for the same end. */
  close(): Promise<void>;
}

/** How long each part may take to close, in ms. */
const CLOSE_MS = 3_000;

/** Starts px in a home. Throws PxError `store.locked`, `config.*`, `secret.*`, `store.*`. */
export async function startApp(options: AppOptions): Promise<App> {
  const { env, version, quiet = false } = options;
  const undo: [what: string, close: () => unknown][] = [];
  const opened = <T>(what: string, part: T, close: (part: T) => unknown): T => {
    undo.push([what, () => close(part)]);
    return part;
  };
  let scrub = (text: string) => text;
  const log = createLog({
    scrub: (text) => scrub(text),
    sinks: options.log ? [options.log] : quiet ? [] : [standardError(env)],
  });
  const closeAll = async () => {
    for (const [what, close] of undo.splice(0).reverse())
      try {
        await within(CLOSE_MS, Promise.resolve(close()));
      } catch (thrown) {
        log.warn(`${what} did not close well: ${toPxError(thrown).message}`);
      }
  };

  try {
    const { home } = options;
    await initHome(home);
    opened('lock', lockHome(home), (lock) => lock.release());
    if (writeStarterNotes(home)) log.info(`a new home: ${home.root}`);
    const config = opened('config', await openConfig(home, env), (part) => part.close());
    log.setLevel(config.current.log.level);
    log.addSink(opened('log', markdownLogSink(join(home.memory, 'log')), (part) => part.close()));
    const bus = createBus();
    log.addSink((entry) => bus.emit({ type: 'log', entry }));
    const store = opened('store', openStore(join(home.state, 'px.db')), (part) => part.close());
    const secrets = openSecrets(store, home, env, log);
    scrub = secrets.scrub;
    const memory = opened('memory', await openMemory({ home, config, log, bus }), (part) => part.close());
    const models = opened('models', await openModels({ config, secrets, memory, log, bus }), (part) => part.close());
    let emitted: Channels['emitted'] = () => false;
    const emit: Channels['emitted'] = (plugin, message) => emitted(plugin, message);
    const plugins = opened('plugins', await openPlugins({ config, secrets, store, log, bus, emit }), (part) =>
      part.close(),
    );
    const mcp = opened('mcp', openMcp({ config, secrets, log, version }), (part) => part.close());
    const page = standingPage(home.memory, secrets, (what) => log.warn(what));
    const approvals = opened('approvals', openApprovals({ bus, page }), (part) => part.close());
    const none: Tool[] = [];
    let scheduling = none;
    let inChats = () => none;
    const more = () => [...(config.current.agent.schedule ? scheduling : none), ...inChats()];
    const tools = createTools({ memory, plugins, mcp, config, secrets, log: log.scope('tool'), more });
    const sessions = opened('sessions', createSessions({ memory, models, config }), (part) => part.close());
    const channels = await openChannels({
      config,
      store,
      plugins,
      secrets,
      log,
      bus,
      memory: home.memory,
      journal: memory.journal,
      commands: commandMenu,
      nothingNew: () => after.stirred(),
      people: openPeople(home.memory, secrets),
    });
    inChats = channelTools(channels);
    opened('channels', channels, (part) => part.close());
    emitted = channels.emitted;
    const agent = createAgent({
      ...{ models, tools, sessions, memory, config, log: log.scope('agent'), bus, scrub, approvals, channels },
      who: channels.who,
      tell: tellApproval({ channels, config, log }),
    });
    const submit = (inbound: Inbound) => answering.submit(inbound);
    const schedule = opened(
      'schedule',
      createSchedule({ home, memory, submit, bus, log: log.scope('schedule') }),
      (part) => part.close(),
    );
    scheduling = scheduleTools(schedule);
    const parts = {
      version,
      home,
      config,
      secrets,
      memory,
      models,
      plugins,
      tools,
      mcp,
      channels,
      approvals,
      sessions,
      agent,
      schedule,
      bus,
      log,
    };
    const after = createBackground({ ...parts, store }, quiet);
    const prepare = async () => {
      await Promise.all([after.prepare(), mcp.prepare()]);
    };
    const answering = opened('answering', createAnswering({ channels, sessions, agent, bus, log, prepare }), (part) =>
      part.close(),
    );
    opened('background', after, (part) => part.close());
    const pids = watchPids(bus);
    after.start(answering);
    let closing: Promise<void> | undefined;
    let stopping = false;
    const going = () => {
      if (stopping)
        throw new PxError('gateway.stopping', 'px is stopping.', {
          hint: 'Send it again in a moment, when px has started again.',
          retryable: true,
        });
    };
    return {
      ...parts,
      status: () => statusOf(parts, pids, after.layers()),
      submit(inbound) {
        going();
        return submit(inbound);
      },
      async setModel(conversation, model) {
        await sessions.setModel(conversation, model);
        bus.emit({ type: 'model.changed', conversation, model: model ?? models.default.ref, by: 'person' });
      },
      settled: after.settled,
      touch: after.touch,
      ready() {
        going();
        store.ready();
        memory.ready();
      },
      drain(ms) {
        stopping = true;
        return drain({ answering, sessions, approvals, channels }, ms);
      },
      close: () => (closing ??= closeAll()),
    };
  } catch (thrown) {
    await closeAll();
    throw thrown;
  }
}

/** The log on standard error: for a person at a terminal, or for systemd's journal. */
function standardError(env: Environment): LogSink {
  const write = (text: string) => process.stderr.write(text);
  if (isJournal(env.get('JOURNAL_STREAM'))) return journalLogSink(write);
  return terminalLogSink(write, { colour: process.stderr.isTTY && env.get('NO_COLOR') === undefined });
}
