/** Resolves with the first signal to end; a second one ends at once. */
export function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let asked = false;
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(name, () => {
        if (asked) process.exit(name === 'SIGINT' ? 130 : 128 + (name === 'SIGTERM' ? 15 : 1));
        asked = true;
        resolve(name);
      });
  });
}
