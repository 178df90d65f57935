import type { EventBody, PxEvent } from './event.ts';

/** The one bus: everything that happens is emitted here, and whoever watches subscribes here. */
export interface Bus {
  /** Stamps the time and hands the event to every listener; a listener that throws is dropped from this event only. */
  emit(event: EventBody): void;
  /** Listens until the returned function is called. */
  on(listener: (event: PxEvent) => void): () => void;
}

/** Makes a bus. */
export function createBus(): Bus {
  const listeners = new Set<(event: PxEvent) => void>();
  return {
    emit(body) {
      const event = { at: Date.now(), ...body } as PxEvent;
      for (const listener of listeners) {
        try {
          listener(event);
        } catch {
          // One broken watcher must not stop the others or the work that is being watched.
        }
      }
    },
    on(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
