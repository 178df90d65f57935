import * as v from 'valibot';

/** Bytes as base64, as frames carry them. */
export const base64 = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      return Uint8Array.fromBase64(dataset.value);
    } catch {
      addIssue({ message: 'base64' });
      return NEVER;
    }
  }),
);
