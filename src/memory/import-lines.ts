import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** Longest line that is read, in bytes: a line with pictures in it is passed over. */
const LONGEST = 4 * 1024 * 1024;

/**
 * The lines of a file as they are read, so that its size costs no memory; undefined for a line that is too long. A link is not followed: that throws, as does a
 * file that cannot be read.
 */
export async function* linesOf(path: string): AsyncGenerator<string | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    let kept: Buffer[] = [];
    let size = 0;
    const take = (): string | undefined => {
      const line = size > LONGEST ? undefined : Buffer.concat(kept).toString('utf8');
      kept = [];
      size = 0;
      return line;
    };
    for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: 256 * 1024 })) {
      const bytes: Buffer = chunk;
      let from = 0;
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
        size += end - from;
        if (size <= LONGEST) kept.push(bytes.subarray(from, end));
        yield take();
        from = end + 1;
      }
      size += bytes.length - from;
      if (size <= LONGEST) kept.push(bytes.subarray(from));
      else kept = [];
    }
    if (size > 0) yield take();
  } finally {
    await file.close();
  }
}
