import { toPxError } from '../error/error.ts';
import type { Log } from '../log/log.ts';
import type { InboxItem } from './channel.ts';
import { type FetchOptions, fetchFiles, toBeFetched, withBytes } from './fetch.ts';
import type { Inbox } from './inbox.ts';

/** What the way in works with. */
export interface IncomingOptions {
  inbox: Pick<Inbox, 'complete'>;
  fetching(channel: string): FetchOptions;
  /** Hands a message on to be answered. */
  offer(item: InboxItem): void;
  log: Log;
}

/** Hands stored messages on, those with files once the files are there; each chat in order. */
export function createIncoming({ inbox, fetching, offer, log }: IncomingOptions): (item: InboxItem) => void {
  /** Chats in which something is being fetched: what comes after it waits. */
  const lanes = new Map<string, Promise<void>>();

  const complete = async (item: InboxItem): Promise<void> => {
    let { inbound } = item;
    const options = fetching(inbound.channel);
    try {
      if (toBeFetched(inbound)) {
        inbound = await fetchFiles(item.seq, inbound, options);
        inbox.complete(item.seq, inbound);
      }
      inbound = await withBytes(inbound, options.memory);
    } catch (thrown) {
      log.error('the files of a message could not be kept', { id: inbound.id, error: toPxError(thrown).message });
    }
    offer({ ...item, inbound });
  };

  return (item) => {
    const lane = `${item.inbound.channel}/${item.inbound.chat}`;
    const before = lanes.get(lane);
    if (!before && !Array.isArray(item.inbound.metadata?.['files'])) return offer(item);
    const mine = (before ?? Promise.resolve())
      .then(() => complete(item))
      .finally(() => {
        if (lanes.get(lane) === mine) lanes.delete(lane);
      });
    lanes.set(lane, mine);
  };
}
