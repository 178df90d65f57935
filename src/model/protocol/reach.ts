/** How long a connection may take to be made, in ms. */
const connectMs = 3_000;

/** True when something listens at an address. A server that is slow to answer is reached; one that is away is not. Never throws. */
export function isReachable(baseUrl: string, withinMs = connectMs): Promise<boolean> {
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
