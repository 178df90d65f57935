/** As in browsers: an Error with a name of the standard's list. */
export class PlainDomException extends Error {
  constructor(message = '', name = 'Error') {
    super(message);
    this.name = name;
  }
}

type Listener = ((event: PlainEvent) => void) | { handleEvent(event: PlainEvent): void };

export class PlainEvent {
  readonly type: string;
  target: unknown = null;
  defaultPrevented = false;
  constructor(type: string) {
    this.type = `${type}`;
  }
  preventDefault(): void {
    this.defaultPrevented = true;
  }
  stopPropagation(): void {}
  stopImmediatePropagation(): void {}
}

/** Listeners run in the order they were added; there is no tree to bubble through. */
export class PlainEventTarget {
  #listeners: { type: string; listener: Listener; once: boolean }[] = [];

  addEventListener(type: string, listener: Listener | null, options?: boolean | { once?: boolean }): void {
    if (!listener || this.#listeners.some((l) => l.type === type && l.listener === listener)) return;
    this.#listeners.push({ type, listener, once: typeof options === 'object' && options.once === true });
  }
  removeEventListener(type: string, listener: Listener | null): void {
    this.#listeners = this.#listeners.filter((l) => l.type !== type || l.listener !== listener);
  }
  dispatchEvent(event: PlainEvent): boolean {
    event.target = this;
    for (const { type, listener, once } of this.#listeners) {
      if (type !== event.type) continue;
      if (once) this.removeEventListener(type, listener);
      if (typeof listener === 'function') listener.call(this, event);
      else listener.handleEvent(event);
    }
    return !event.defaultPrevented;
  }
}
