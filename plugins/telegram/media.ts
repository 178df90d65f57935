/** A file in a message, as Telegram names it. */
interface TelegramFile {
  file_id: string;
  file_size?: number;
  file_name?: string;
  mime_type?: string;
  duration?: number;
}

/** What a message can hold beside text. */
export interface Media {
  photo?: TelegramFile[];
  voice?: TelegramFile;
  audio?: TelegramFile;
  video?: TelegramFile;
  video_note?: TelegramFile;
  animation?: TelegramFile;
  document?: TelegramFile;
  sticker?: { emoji?: string };
  location?: { latitude: number; longitude: number };
  contact?: { first_name?: string; phone_number?: string };
  poll?: { question?: string };
  dice?: { emoji?: string; value?: number };
}

/** A file as px fetches it: `files` of a message's metadata. */
interface FileToFetch {
  id: string;
  name: string;
  mime: string;
  size: number;
}

/** Largest file a bot may fetch from Telegram's own servers, in bytes. */
const maxFetch = 20_971_520;

const kinds: [
  kind: keyof Media & ('voice' | 'audio' | 'video' | 'video_note' | 'animation' | 'document'),
  string,
  string,
][] = [
  ['voice', 'voice.ogg', 'audio/ogg'],
  ['audio', 'audio.mp3', 'audio/mpeg'],
  ['video', 'video.mp4', 'video/mp4'],
  ['video_note', 'video-note.mp4', 'video/mp4'],
  // An animation is a document, too.
  ['animation', 'animation.mp4', 'video/mp4'],
  ['document', 'file', 'application/octet-stream'],
];

/** The files of a message, and words for what is no text, so that the person gets an answer at all. */
export function describeFiles(m: Media): { files: FileToFetch[]; words: string } {
  if (m.sticker) return { files: [], words: m.sticker.emoji ?? '(a sticker)' };
  if (m.location) return { files: [], words: `(location: ${m.location.latitude}, ${m.location.longitude})` };
  if (m.contact)
    return { files: [], words: `(contact: ${m.contact.first_name ?? ''} ${m.contact.phone_number ?? ''})` };
  if (m.poll) return { files: [], words: `(poll: ${m.poll.question ?? ''})` };
  if (m.dice) return { files: [], words: `(${m.dice.emoji ?? 'dice'} ${m.dice.value ?? ''})` };
  const photo = m.photo?.findLast((p) => (p.file_size ?? 0) <= maxFetch);
  if (photo) return fetched(photo, 'photo', 'photo.jpg', 'image/jpeg');
  if (m.photo) return { files: [], words: '(photo without text)' };
  for (const [kind, name, mime] of kinds) {
    const file = m[kind];
    if (file) return fetched(file, kind, name, mime);
  }
  return { files: [], words: '' };
}

function fetched(
  file: TelegramFile,
  kind: string,
  name: string,
  mime: string,
): { files: FileToFetch[]; words: string } {
  const { file_id, file_size = 0, file_name = name, mime_type = mime, duration } = file;
  const long = duration === undefined ? '' : `, ${duration} s`;
  const words = kind === 'document' ? `(file: ${file_name})` : `(${kind.replace('_', ' ')} without text${long})`;
  if (!file_id) return { files: [], words };
  if (file_size > maxFetch)
    return {
      files: [],
      words: `${words.slice(0, -1)}; ${Math.round(file_size / 1e6)} MB are more than Telegram gives a bot)`,
    };
  return { files: [{ id: file_id, name: file_name, mime: mime_type, size: file_size }], words };
}
