/** Text for a note, with a mark of where it comes from when a conversation wrote it that had read text from outside. */
export function markOutside(text: string, labels: string[]): string {
  if (labels.length === 0) return text;
  const safe = labels.map((label) => label.replace(/[^\p{L}\p{N}/_. -]/gu, '').replace(/--+/g, '-'));
  return `${text.replace(/\s+$/, '')}\n\n<!-- from outside: ${safe.join(', ')} -->\n`;
}

/** The labels of text from outside in a note or a page of the journal: marks in notes, closing lines in journals. */
export function labelsIn(text: string): string[] {
  const labels = new Set<string>();
  for (const [, list = ''] of text.matchAll(/<!-- from outside: ([^>\n]*) -->/g))
    for (const label of list.split(', ')) labels.add(label);
  for (const [, list = ''] of text.matchAll(/^<!-- px\+? (?:user|tool-result|note) .*"outside":(\[[^\]\n]*\])/gm)) {
    try {
      for (const label of JSON.parse(list)) labels.add(String(label));
    } catch {
      labels.add('journal');
    }
  }
  return [...labels];
}
