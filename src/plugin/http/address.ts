/** Finds the addresses of a host name. */
export type Resolve = (host: string) => Promise<string[]>;

/** Asks the system's resolver (hosts file and DNS), once; IPv4 first, as most networks reach it best. */
export const systemResolve: Resolve = async (host) => {
  const found = await Bun.dns.lookup(host, { socketType: 'tcp' });
  return [...new Set(found.sort((a, b) => a.family - b.family).map((a) => a.address))];
};

/** The address a URL's host is itself, without brackets; undefined for a name. */
export function literalAddress(hostname: string): string | undefined {
  if (hostname.startsWith('[')) return hostname.slice(1, -1);
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(hostname) ? hostname : undefined;
}

/** `host:port` as a grant names it: the port always written. */
export function hostPort(url: URL): string {
  return `${url.hostname}:${url.port || (/^(?:https|wss):$/.test(url.protocol) ? '443' : '80')}`;
}

/** The URL with an address for its host: where the connection really goes. */
export function pinned(url: URL, address: string): string {
  const at = new URL(url);
  at.hostname = address.includes(':') ? `[${address}]` : address;
  return at.href;
}
