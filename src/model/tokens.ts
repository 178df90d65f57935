/** About how many tokens a text is, without a tokenizer: within a fifth for prose and JSON, rather too many than too few. */
export function estimateTokens(text: string): number {
  let words = 0;
  let digits = 0;
  let marks = 0;
  let other = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 127) other++;
    else if (code === 32 || (code >= 97 && code <= 122) || (code >= 65 && code <= 90)) words++;
    else if (code >= 48 && code <= 57) digits++;
    else marks++;
  }
  return Math.ceil(words / 4.5 + digits / 2 + marks / 3.2 + other * 0.8);
}
