import { join } from 'node:path';
import type { ConfigStore } from '../config/config.ts';
import { PxError, toPxError } from '../error/error.ts';
import type { Log } from '../log/log.ts';
import type { Journal } from '../memory/memory.ts';
import type { Secrets } from '../secret/secret.ts';
import type { Store } from '../store/store.ts';
import { attachmentsIn, type Bus, type ConversationId, type Inbound, withoutData } from '../wire/wire.ts';
import { admit, linkedMessage, localChannels, pairingMessage, welcomeMessage } from './access.ts';
import { createBatch } from './batch.ts';
import type { Channels, InboxItem } from './channel.ts';
import type { ConnectorHost } from './connector.ts';
import { createConnectors } from './connectors.ts';
import { unknownOutcome } from './failure.ts';
import { fileToSend } from './file.ts';
import { type GuestMessage, readEmitted, readMessages, toInbound } from './guest.ts';
import { journalHistory, platformHistory } from './history.ts';
import { createIdentities } from './identity.ts';
import { openInbox } from './inbox.ts';
import { createIncoming } from './incoming.ts';
import { lateMark, tooOld } from './late.ts';
import { openOutbox } from './outbox.ts';
import { openPairing } from './pairing.ts';
import type { People } from './people.ts';
import { createReplying } from './replying.ts';
import { createStreams } from './streams.ts';
import { defaultTiming, type Timing } from './timing.ts';

/** What channels are made of. */
export interface ChannelOptions {
  config: Pick<ConfigStore, 'current' | 'onChange'>;
  /** `state/px.db`. */
  store: Store;
  plugins: ConnectorHost;
  secrets: Pick<Secrets, 'get' | 'has'>;
  log: Log;
  bus: Bus;
  /** Where the paired people are kept beside the database. */
  people?: People;
  /** The folder `memory/`, where files that come and go are. */
  memory?: string;
  /** Where what was said is read where a platform does not tell it. */
  journal?: Pick<Journal, 'read'>;
  /** What people can type, for the menus of platforms. */
  commands?: () => { name: string; summary: string }[];
  /** Told when a platform was waited for and brought nothing. */
  nothingNew?: () => void;
  /** Other pauses than the usual ones. */
  timing?: Partial<Timing>;
}

/** Opens inbox, outbox and pairing book; `start()` then runs the connectors. */
export async function openChannels(options: ChannelOptions): Promise<Channels> {
  const { config, store, bus } = options;
  const log = options.log.scope('channel');
  const timing: Timing = { ...defaultTiming, ...options.timing };
  const inbox = openInbox(store, timing.now);
  const outbox = openOutbox(store, timing.now);
  const batch = createBatch(store);
  const book = openPairing(store, timing.now, options.people, (what, error) =>
    log.warn(what, error === undefined ? {} : { error: toPxError(error).message }),
  );
  const identities = createIdentities(config, book, timing.now);
  let listener: ((item: InboxItem) => void) | undefined;
  /** Who spoke last in each conversation, and where: what is done beside an answer is done there. */
  const latest = new Map<ConversationId, Inbound>();
  const replying = createReplying();

  /** The message is stored: whatever the listener does with it now, it comes again after a restart until it is answered. */
  const handOn = (item: InboxItem) => {
    if (latest.size > 500) latest.clear();
    latest.set(item.inbound.conversation, item.inbound);
    replying.began(item);
    streams.began(item);
    try {
      listener?.(item);
    } catch (thrown) {
      log.error('a message could not be handed on', { id: item.inbound.id, error: toPxError(thrown).message });
    }
  };

  const offer = createIncoming({
    inbox,
    log,
    offer: handOn,
    fetching: (channel) => ({
      memory: options.memory ?? '',
      maxBytes: (config.current.channels[channel]?.max_file_mb ?? 0) * 1_000_000,
      pauseMs: timing.failPause[0],
      async fetch(from, id, into) {
        const connector = connectors.of(from);
        if (!connector) throw new PxError('channel.unknown', 'the channel is off', { retryable: true });
        await connector.fetch(id, into);
      },
    }),
  });

  const arrived = (seq: number, inbound: Inbound) => {
    bus.emit({ type: 'message.in', inbound: withoutData(inbound) });
    offer({ seq, inbound });
  };

  /** A connector's message through the channel's access rules; what is to be told once it is stored, or undefined for nothing new. */
  const admitted = (channel: string, message: GuestMessage): (() => void) | undefined => {
    const rules = config.current.channels[channel];
    if (!rules || (message.text.trim() === '' && attachmentsIn(message.metadata).length === 0)) return undefined;
    const written = toInbound(channel, message, timing.now());
    const inbound = { ...written, conversation: identities.conversationOf(written) };
    const admission = admit(rules, inbound, () => book.approved(channel, inbound.sender.id));
    const old = tooOld(inbound, rules, timing.now());
    const seq = inbox.add(inbound, admission !== 'answer' ? 'ignored' : old ? 'old' : 'pending');
    if (seq === undefined) return undefined;
    if (old) return () => setAside(inbound);
    if (admission === 'answer') return () => arrived(seq, inbound);
    if (admission === 'pair' && identities.admitByLink(inbound)) {
      outbox.add(channel, inbound.chat, linkedMessage);
      return () => {
        book.listPeople();
        log.info('linked', { channel, sender: inbound.sender.id });
        bus.emit({ type: 'pairing.approved', channel, sender: inbound.sender.id });
        connectors.kick(channel);
      };
    }
    const code = admission === 'pair' ? book.request(inbound) : undefined;
    if (code === undefined)
      return () => log.debug('a stranger was not answered', { channel, sender: inbound.sender.id });
    outbox.add(channel, inbound.chat, pairingMessage(code));
    return () => {
      log.info('somebody asks to be paired', { channel, sender: inbound.sender.id, name: inbound.sender.name });
      bus.emit({ type: 'pairing.requested', channel, sender: inbound.sender.id, code });
      connectors.kick(channel);
    };
  };

  const setAside = ({ channel, chat, at }: Inbound) =>
    log.warn('a message is too old to be answered; `px inbox` lists it', { channel, chat, at: new Date(at) });

  const takeAll = (channel: string, messages: GuestMessage[], write = store.quickly): number => {
    const tell = write(() => messages.flatMap((m) => admitted(channel, m) ?? []));
    for (const one of tell) one();
    return tell.length;
  };

  const connectors = createConnectors({
    ...options,
    log,
    timing,
    outbox,
    batch,
    fileOf: (path) => join(options.memory ?? '', path),
    take(channel, answer) {
      const { messages, bad } = readMessages(answer);
      if (bad > 0) log.warn('a connector returned what is not a message', { channel, count: bad });
      return takeAll(channel, messages);
    },
  });

  const streams = createStreams({
    ...{ store, bus, log, timing },
    wanted: (channel) => config.current.channels[channel]?.stream === true,
    can: (channel, ability) => connectors.of(channel)?.can(ability) ?? false,
    maxText: (channel) => connectors.of(channel)?.maxText() ?? 0,
    replyTo: replying.to,
    act: (channel, chat, out) =>
      connectors.of(channel)?.act(chat, out) ?? Promise.reject(new PxError('channel.unknown', 'the channel is off')),
  });

  const known = (channel: string) => {
    if (!localChannels.has(channel) && !config.current.channels[channel])
      throw new PxError('channel.unknown', `There is no channel ${channel}`, {
        hint: `Add it under channels: in px.yaml (${Object.keys(config.current.channels).join(', ') || 'none yet'})`,
      });
  };

  return {
    accept(inbound) {
      known(inbound.channel);
      const seq = inbox.add(inbound, 'pending');
      if (seq === undefined) return false;
      arrived(seq, inbound);
      return true;
    },
    emitted(plugin, raw) {
      const channel = connectors.channelOf(plugin);
      if (channel === undefined)
        throw new PxError('channel.unknown', `No channel uses the plugin ${plugin}`, {
          hint: `Add to px.yaml: channels: { ${plugin}: {} }`,
        });
      const message = readEmitted(raw);
      if (!message) throw new PxError('plugin.guest', `${plugin} emitted what is not a message`);
      // Who emits is told at once that it is kept: it is on disk then.
      return takeAll(channel, [message], store.transaction) > 0;
    },
    onPending(given) {
      listener = given;
      for (const item of inbox.pending()) {
        const old = tooOld(item.inbound, config.current.channels[item.inbound.channel], timing.now());
        if (old && inbox.age(item.seq)) setAside(item.inbound);
        else offer(item);
      }
    },
    reply(item, text, others = [], extras = {}) {
      const { channel, chat, conversation } = item.inbound;
      const local = localChannels.has(channel);
      const mark = lateMark(item.inbound, timing.now());
      const to = local ? deliverTo(item.inbound) : undefined;
      const replyTo = replying.to(item);
      replying.over([item, ...others]);
      // Until it is committed the message waits in the inbox, and its answer in the journal: after power loss it is written down again. On disk it is with the
      // word that it is being sent; what px's own surfaces are told is on disk before.
      const write = local ? batch.write : batch.note;
      streams
        .finish(item)
        .then((edits) =>
          write(() => {
            if (!inbox.answer(item.seq)) return false;
            for (const other of others) inbox.answer(other.seq);
            const placed = {
              ...extras,
              ...(edits === undefined ? {} : { edits }),
              ...(replyTo === undefined ? {} : { replyTo }),
            };
            if (!local && text.trim() !== '') outbox.add(channel, chat, mark + text, placed);
            if (to && text.trim() !== '') outbox.add(to.channel, to.chat, mark + text, extras);
            streams.forget(item.seq);
            return true;
          }),
        )
        .then(
          (first) => {
            if (!first) log.debug('answered before', { channel, id: item.inbound.id });
            else if (local) bus.emit({ type: 'message.out', conversation, channel, text, state: 'sent' });
            else connectors.kick(channel);
            if (to) connectors.kick(to.channel);
          },
          (thrown: unknown) => log.error('an answer could not be written down', { error: toPxError(thrown).message }),
        );
    },
    merge(first, others) {
      const text = [first, ...others].map((item) => item.inbound.text).join('\n\n');
      store.transaction(() => {
        inbox.rewrite(first.seq, text);
        for (const other of others) inbox.answer(other.seq);
      });
      replying.over(others);
      return { ...first, inbound: { ...first.inbound, text } };
    },
    settle(item) {
      inbox.answer(item.seq);
      replying.over([item]);
      streams.forget(item.seq);
    },
    send(channel, chat, text, extras) {
      known(channel);
      if (text.trim() === '') return;
      if (localChannels.has(channel)) {
        bus.emit({ type: 'message.out', conversation: `${channel}/${chat}`, channel, text, state: 'sent' });
        return;
      }
      outbox.add(channel, chat, text, extras);
      connectors.kick(channel);
    },
    typing: (inbound) => connectors.typing(inbound.channel, inbound.chat),
    async history(channel, chat, limit) {
      known(channel);
      const connector = connectors.of(channel);
      try {
        const told = await connector?.ask('get-history', [chat, limit]);
        if (told !== undefined) return { source: 'platform', messages: platformHistory(told) };
      } catch (thrown) {
        log.debug('the platform does not tell the past', { channel, error: toPxError(thrown).message });
      }
      const conversation = `${channel}/${chat}` as const;
      const messages = options.journal ? await journalHistory(options.journal.read, conversation, limit) : [];
      return { source: 'journal', messages };
    },
    async react(conversation, emoji) {
      const to = latest.get(conversation);
      const connector = to && connectors.of(to.channel);
      if (!to || !connector?.can('react'))
        throw new PxError('channel.delivery', 'There are no reactions in this chat.');
      const out = { kind: 'react', key: '', message: to.id, content: emoji, choices: [], files: [] } as const;
      await connector.act(to.chat, { ...out, choices: [], files: [] });
    },
    async sendFile(conversation, path, caption) {
      const to = latest.get(conversation);
      const connector = to && connectors.of(to.channel);
      if (!to || !connector?.can('files'))
        throw new PxError('channel.delivery', 'No files can be sent in this chat.', {
          hint: 'Say where it is, or put its text into the answer.',
        });
      const most = (config.current.channels[to.channel]?.max_file_mb ?? 0) * 1_000_000;
      const file = await fileToSend(options.memory ?? '', path, most);
      outbox.add(to.channel, to.chat, caption, { file });
      connectors.kick(to.channel);
      return file;
    },
    can: (ability, channel) =>
      (channel === undefined ? Object.keys(config.current.channels) : [channel]).some((id) =>
        connectors.of(id)?.can(ability),
      ),
    webhook: async (channel, path, request) => connectors.of(channel)?.webhook(path, request),
    start() {
      // A channel that has its connector looks into its own.
      const orphans = outbox.interruptedChannels().filter((id) => config.current.channels[id]?.enabled !== true);
      for (const part of orphans.flatMap(outbox.interrupted)) {
        const error = unknownOutcome('px was stopped while it was being sent');
        log.error(`a message to ${part.chat} may be lost`, { channel: part.channel, id: part.id });
        const { channel, text } = part;
        outbox.fail(part, 'unknown', error);
        const conversation = `${channel}/${part.chat}` as const;
        bus.emit({ type: 'message.out', conversation, channel, text, state: 'failed', error: error.toJSON() });
      }
      connectors.start();
    },
    restart: connectors.restart,
    states: connectors.states,
    undelivered: outbox.undelivered,
    inbox: inbox.open,
    outbox: outbox.open,
    discard: outbox.drop,
    answerOld(seq) {
      const item = inbox.wake(seq);
      if (item) offer(item);
      return item !== undefined;
    },
    dismiss: inbox.answer,
    redeliver(id) {
      const channel = outbox.retry(id);
      if (channel !== undefined) connectors.kick(channel);
      return channel !== undefined;
    },
    who: identities.who,
    ownerChats: identities.ownerChats,
    linkCode: identities.linkCode,
    link: identities.link,
    pairing: {
      list: book.list,
      setRole: book.setRole,
      revoke: book.revoke,
      restore: book.restore,
      approve(code, said) {
        const role = said ?? identities.firstRole();
        const { chat, ...who } = store.transaction(() => {
          const approved = book.approve(code, role);
          if (config.current.channels[approved.channel])
            outbox.add(approved.channel, approved.chat, welcomeMessage(role));
          return approved;
        });
        book.listPeople();
        log.info('paired', { ...who, chat, role });
        bus.emit({ type: 'pairing.approved', channel: who.channel, sender: who.sender });
        connectors.kick(who.channel);
        return { ...who, role };
      },
    },
    async close() {
      listener = undefined;
      streams.close();
      await connectors.close();
      batch.flush();
    },
  };
}

/** The chat that gets the answer to a script's message, too. Only px's own surfaces can say so. */
function deliverTo({ metadata }: Inbound): { channel: string; chat: string } | undefined {
  const [, channel, chat] = /^([a-z][a-z0-9-]*)\/(.+)$/.exec(String(metadata?.['deliver'] ?? '')) ?? [];
  return channel === undefined || chat === undefined ? undefined : { channel, chat };
}
