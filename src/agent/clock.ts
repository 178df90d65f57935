/** A turn's bound of time. Waiting for a person's word does not count. */
export class TurnClock {
  readonly #late = new AbortController();
  #left: number;
  #since = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pauses = 0;

  /** Runs from now on. */
  constructor(ms: number) {
    this.#left = ms;
    this.#run();
  }

  /** Aborts when the time is over. */
  get signal(): AbortSignal {
    return this.#late.signal;
  }

  get late(): boolean {
    return this.#late.signal.aborted;
  }

  /** Stands still until the returned function is called; several may hold it. */
  pause(): () => void {
    if (this.#pauses++ === 0) {
      clearTimeout(this.#timer);
      this.#left -= performance.now() - this.#since;
    }
    return () => {
      if (--this.#pauses === 0) this.#run();
    };
  }

  stop(): void {
    this.#pauses = Number.POSITIVE_INFINITY;
    clearTimeout(this.#timer);
  }

  #run(): void {
    this.#since = performance.now();
    this.#timer = setTimeout(() => this.#late.abort(), Math.max(0, this.#left));
  }
}
