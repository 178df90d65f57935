/** A listening gateway. */
export interface Gateway {
  /** `http://127.0.0.1:7979`. */
  readonly url: string;
  readonly token: string;
  stop(): Promise<void>;
}
