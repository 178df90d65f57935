import type { Page } from './visit.ts';

/** Pages by what their address begins with, each loaded when it is first asked for. */
const parts: Record<string, () => Promise<{ pages: Page[] }>> = {
  '': () => import('./page/chat.tsx'),
  conversations: () => import('./page/conversations.tsx'),
  memory: () => import('./page/memory.tsx'),
  plugins: () => import('./page/plugins.tsx'),
  models: () => import('./page/models.tsx'),
  channels: () => import('./page/channels.tsx'),
  schedule: () => import('./page/schedule.tsx'),
  approvals: () => import('./page/approvals.tsx'),
  audit: () => import('./page/audit.tsx'),
  settings: () => import('./page/settings.tsx'),
  status: () => import('./page/status.tsx'),
  docs: () => import('./page/docs.tsx'),
};

/** The page of an address, with the parts of the address it names. */
export async function findPage(pathname: string): Promise<{ page: Page; params: Record<string, string> } | undefined> {
  const words = pathname.slice(1).split('/');
  const [first = ''] = words;
  const load = Object.hasOwn(parts, first) ? parts[first] : undefined;
  if (!load) return undefined;
  for (const page of (await load()).pages) {
    const params = match(page.path.slice(1).split('/'), words);
    if (params) return { page, params };
  }
  return undefined;
}

function match(pattern: string[], words: string[]): Record<string, string> | undefined {
  if (pattern.length !== words.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, part] of pattern.entries()) {
    const word = words[i] ?? '';
    if (!part.startsWith(':')) {
      if (part !== word) return undefined;
      continue;
    }
    try {
      params[part.slice(1)] = decodeURIComponent(word);
    } catch {
      return undefined;
    }
    if (word === '') return undefined;
  }
  return params;
}
