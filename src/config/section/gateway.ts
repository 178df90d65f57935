import * as v from 'valibot';
import { listenHost, origin } from './text.ts';

/** `gateway:` where px listens. */
export const gateway = v.strictObject({
  host: v.optional(
    v.pipe(listenHost, v.description('Address to listen on. Anything but loopback exposes px to your network.')),
    '127.0.0.1',
  ),
  port: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65535), v.description('TCP port; 0 picks a free one.')),
    7979,
  ),
  origins: v.optional(
    v.pipe(v.array(origin), v.description('Further browser origins that may call the API, as `https://host:port`.')),
    [],
  ),
  max_body_bytes: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(1024),
      v.description(
        'Largest request body, in bytes. A message with attachments may have 30 MB, an uploaded plugin 64 MB.',
      ),
    ),
    1_048_576,
  ),
});
