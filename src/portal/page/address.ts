import type { ConversationId } from '../../wire/wire.ts';

/** The address of a note. */
export const noteHref = (path: string): string => `/memory/note?path=${encodeURIComponent(path)}`;

/** The address where a conversation is read. */
export const readHref = (id: string): string => `/conversations/${id.split('/').map(encodeURIComponent).join('/')}`;

/** The conversation an address names; a bare word is one of the portal's own. */
export function conversationOf(text: string): ConversationId {
  const [channel = '', chat, ...more] = text.trim().split('/');
  if (channel !== '' && chat === undefined) return `web/${channel}`;
  return channel && chat && more.length === 0 ? `${channel}/${chat}` : 'web/me';
}
