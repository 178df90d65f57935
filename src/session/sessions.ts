import type { ConfigStore } from '../config/config.ts';
import { PxError } from '../error/error.ts';
import type { JournalEntry, Memory } from '../memory/memory.ts';
import type { Models } from '../model/model.ts';
import { shutdown } from '../tool/tool.ts';
import type { ConversationId, ModelRef } from '../wire/wire.ts';
import { choiceIsOld, entriesFor, type ModelBy, queueIsOld, queueNote, resetNote, sinceReset } from './context.ts';
import { createLanes } from './lanes.ts';
import { LiveSession } from './live.ts';
import type { Sessions } from './session.ts';
import { oldSummary } from './summary.ts';

/** What sessions are made of. */
export interface SessionOptions {
  memory: Pick<Memory, 'journal'>;
  models: Pick<Models, 'default' | 'resolve'>;
  config: Pick<ConfigStore, 'current'>;
  /** Open conversations kept while idle, as long as they are not too large together; the least recently used goes first. 64 when left out. */
  keep?: number;
  /** How long an unused conversation is kept, in ms. 30 s when left out: reading back takes a few ms, memory is scarce. */
  keepMs?: number;
}

/** Idle conversations may be so many characters together; a few are kept however large they are. */
const most = { characters: 4_000_000, few: 8 };

/** Makes the sessions. Nothing is read before it is asked for. */
export function createSessions(options: SessionOptions): Sessions {
  const { models, config } = options;
  const { journal } = options.memory;
  const turns = createLanes();
  /** Reads and writes of one conversation's journal, in order, so that a session never misses or doubles an entry. */
  const io = createLanes();
  const running = new Map<ConversationId, AbortController>();
  const cache = new Map<ConversationId, LiveSession>();
  let forget: Timer | undefined;
  let closed = false;

  const evict = (keep: number) => {
    let size = 0;
    for (const open of cache.values()) size += open.size;
    for (const [conversation, open] of cache) {
      if (cache.size <= keep && (size <= most.characters || cache.size <= most.few)) return;
      if (running.has(conversation)) continue;
      cache.delete(conversation);
      size -= open.size;
    }
  };

  const used = (open: LiveSession): LiveSession => {
    const { conversation } = open;
    const fresh = !cache.delete(conversation);
    cache.set(conversation, open);
    if (fresh) evict(options.keep ?? 64);
    clearTimeout(forget);
    forget = setTimeout(() => evict(0), options.keepMs ?? 30_000);
    forget.unref();
    return open;
  };

  /** Only inside the conversation's io lane. */
  const load = async (conversation: ConversationId): Promise<LiveSession> => {
    const cached = cache.get(conversation);
    if (cached) return used(cached);
    const entries = await journal.read(conversation, entriesFor(config.current.agent.history_messages));
    return used(new LiveSession(conversation, entries, () => config.current.agent.history_messages));
  };

  const append = (conversation: ConversationId, entries: JournalEntry[]) =>
    io.run(conversation, async () => {
      const open = await load(conversation);
      const { model, queue } = open;
      const added = [
        ...(model !== undefined && choiceIsOld(open.entries) ? [choice(model, 'person')] : []),
        ...(queue !== undefined && queueIsOld(open.entries) ? [queueNote(queue)] : []),
        ...(entries.some((e) => e.kind === 'user') ? oldSummary(sinceReset(open.entries)) : []),
        ...entries,
      ];
      try {
        await journal.append(conversation, added);
      } catch (error) {
        cache.delete(conversation);
        throw error;
      }
      open.add(added, entriesFor(config.current.agent.history_messages));
    });

  return {
    open: (conversation) => io.run(conversation, () => load(conversation)),
    append,
    async setModel(conversation, model) {
      await append(conversation, [
        model === undefined ? choice(models.default.ref, 'default') : choice(models.resolve(model), 'person'),
      ]);
    },
    async setQueue(conversation, mode) {
      await append(conversation, [queueNote(mode)]);
    },
    queueMode(conversation) {
      const channel = conversation.slice(0, conversation.indexOf('/'));
      return cache.get(conversation)?.queue ?? config.current.channels[channel]?.queue ?? 'followup';
    },
    async reset(conversation) {
      await append(conversation, [resetNote()]);
    },
    enqueue(conversation, work) {
      return turns.run(conversation, async () => {
        if (closed) throw new PxError('interrupted', 'px is stopping', { retryable: true });
        const controller = new AbortController();
        running.set(conversation, controller);
        try {
          return await work(controller.signal);
        } finally {
          running.delete(conversation);
        }
      });
    },
    stop(conversation) {
      const controller = running.get(conversation);
      controller?.abort(new PxError('interrupted', 'Stopped'));
      return controller !== undefined;
    },
    running: () => [...running.keys()],
    async close() {
      closed = true;
      for (const controller of running.values()) controller.abort(shutdown);
      await turns.idle();
      await io.idle();
      clearTimeout(forget);
      cache.clear();
    },
  };
}

function choice(model: ModelRef, by: ModelBy): JournalEntry {
  return { at: 0, kind: 'model', model, by };
}
