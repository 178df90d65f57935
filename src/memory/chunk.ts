/** A passage of a note, as it is indexed. */
export interface Passage {
  /** Its first line in the file, from 1. */
  line: number;
  /** Where its first byte is in the file: an appended journal is read on from its last passage. */
  offset: number;
  /** The headings it stands under: `Trips › Rome`. */
  heading: string;
  body: string;
}

/** Sizes of a passage, in characters: cut at an empty line from `good`, at any line from `most`. */
const size = { good: 1000, most: 1800 };

/** Cuts Markdown into passages: at each heading, and in between at empty lines. Fed line by line, so that a large file takes no memory. */
export class Chunker {
  readonly #out: Passage[] = [];
  #headings: { level: number; text: string }[] = [];
  #lines: string[] = [];
  #length = 0;
  #line = 1;
  #first = 1;
  #fence: string | undefined;
  #bare = true;

  /** Takes the next line, without its line break; returns the passages that are now whole. */
  feed(line: string): Passage[] {
    const heading = this.#fence === undefined ? /^ {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$/.exec(line) : null;
    if (heading) {
      if (!this.#bare) this.#cut();
      const level = heading[1]?.length ?? 1;
      this.#headings = [
        ...this.#headings.filter((one) => one.level < level),
        { level, text: (heading[2] ?? '').slice(0, 200) },
      ];
    } else {
      this.#trackFence(line);
      if (line.trim() !== '') this.#bare = false;
      else if (this.#length >= size.good) this.#cut();
    }
    for (let at = 0; at === 0 || at < line.length; at += size.most) {
      const piece = line.slice(at, at + size.most);
      if (this.#length > 0 && this.#length + piece.length > size.most) this.#cut();
      this.#lines.push(piece);
      this.#length += piece.length + 1;
    }
    this.#line++;
    return this.#out.splice(0);
  }

  /** The last passage. */
  end(): Passage[] {
    this.#cut();
    return this.#out.splice(0);
  }

  #cut(): void {
    const body = this.#lines.join('\n').trimEnd();
    if (body !== '') {
      const blank = /^\s*\n/.exec(body)?.[0].split('\n').length ?? 1;
      const heading = this.#headings.map((one) => one.text).join(' › ');
      this.#out.push({ line: this.#first + blank - 1, offset: 0, heading, body: body.replace(/^(?:\s*\n)+/, '') });
    }
    this.#lines = [];
    this.#length = 0;
    this.#first = this.#line;
    this.#bare = true;
  }

  #trackFence(line: string): void {
    const run = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (run === undefined) return;
    if (this.#fence === undefined) this.#fence = run;
    else if (run[0] === this.#fence[0] && run.length >= this.#fence.length) this.#fence = undefined;
  }
}
