/** Caps in dollars; what is left out has no cap. */
interface Budget {
  day?: number | undefined;
  month?: number | undefined;
  conversation?: number | undefined;
  /** A day's cap for what messages of one plugin cause. */
  plugin?: number | undefined;
}

/** One cap and what is used of it, in dollars. */
export interface CapState {
  cap: keyof Budget;
  limit: number;
  spent: number;
  /** Worst cases of calls that are under way. */
  reserved: number;
}

/** The first cap that a call of at most `worst` dollars would pass; undefined lets it go. A call that costs nothing always goes. */
export function cappedBy(states: CapState[], worst: number): CapState | undefined {
  if (worst <= 0) return undefined;
  // A billionth of a dollar is what adding many small numbers may be off by.
  return states.find(({ limit, spent, reserved }) => spent + reserved + worst > limit + 1e-9);
}
