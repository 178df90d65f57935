/** True when something listens at an address. A server that is slow to answer is reached; one that is away is not. `withinMs`: how long it may take. Never throws. */
export function isReachable(baseUrl: string, withinMs: number): Promise<boolean> {
  const url = URL.parse(baseUrl);
  if (!url) return Promise.resolve(false);
  const port = Number(url.port) || (url.protocol === 'http:' ? 80 : 443);
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), withinMs);
    const finish = (reached: boolean) => {
      clearTimeout(timer);
      resolve(reached);
    };
    Bun.connect({
      hostname: url.hostname.replace(/^\[|\]$/g, ''),
      port,
      socket: {
        open(socket) {
          finish(true);
          socket.end();
        },
        data() {},
        connectError: () => finish(false),
      },
    }).catch(() => finish(false));
  });
}
