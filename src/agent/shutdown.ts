/** The signal's reason that means "px is stopping": the turn ends without an end in the journal and goes on at the next start. */
export const SHUTDOWN = 'shutdown';
