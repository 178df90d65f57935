/** `openai` of `openai/gpt-5`. */
export function providerName(ref: string): string {
  return ref.slice(0, ref.indexOf('/'));
}

/** `gpt-5` of `openai/gpt-5`. */
export function modelName(ref: string): string {
  return ref.slice(ref.indexOf('/') + 1);
}
