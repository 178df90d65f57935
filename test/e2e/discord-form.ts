import { asArgs } from './discord-gateway.ts';

type Args = { [key: string]: unknown };

/** A refusal in Discord's form. */
export const no = (status: number, message: string, code: number) => Response.json({ message, code }, { status });
/** A refusal that names the field. */
export const invalid = (field: string, code: string, message: string) =>
  Response.json(
    { message: 'Invalid Form Body', code: 50_035, errors: { [field]: { _errors: [{ code, message }] } } },
    { status: 400 },
  );

/** Why Discord does not take a message; undefined when it does. */
export function wrongMessage(
  { content = '', nonce, components = [], allowed_mentions, attachments = [] }: Args,
  file: boolean,
): Response | undefined {
  if (typeof content !== 'string' || content.length > 2_000)
    return invalid('content', 'BASE_TYPE_MAX_LENGTH', 'Must be 2000 or fewer in length.');
  if (content.trim() === '' && !file) return no(400, 'Cannot send an empty message', 50_006);
  if (nonce !== undefined && (typeof nonce !== 'string' || nonce.length > 25))
    return invalid('nonce', 'NONCE_TYPE_INVALID', 'Nonce must be at most 25 characters.');
  if (!Array.isArray(components) || components.length > 5)
    return invalid('components', 'BASE_TYPE_BAD_LENGTH', 'Must be between 1 and 5 in length.');
  const ids = new Set<unknown>();
  for (const row of components.map(asArgs)) {
    const buttons = Array.isArray(row['components']) ? row['components'].map(asArgs) : [];
    if (row['type'] !== 1 || buttons.length < 1 || buttons.length > 5)
      return invalid('components', 'BASE_TYPE_BAD_LENGTH', 'Must be between 1 and 5 in length.');
    for (const { type, style, label, custom_id: id } of buttons) {
      if (
        type !== 2 ||
        ![1, 2, 3, 4].includes(Number(style)) ||
        typeof label !== 'string' ||
        label === '' ||
        label.length > 80
      )
        return invalid('components', 'BASE_TYPE_MAX_LENGTH', 'Must be 80 or fewer in length.');
      if (typeof id !== 'string' || id === '' || id.length > 100 || ids.has(id))
        return invalid('components', 'COMPONENT_CUSTOM_ID_DUPLICATED', 'Component custom id cannot be duplicated');
      ids.add(id);
    }
  }
  if (allowed_mentions !== undefined && !Array.isArray(asArgs(allowed_mentions)['parse']))
    return invalid('allowed_mentions', 'BASE_TYPE_REQUIRED', 'This field is required');
  if (!Array.isArray(attachments)) return invalid('attachments', 'BASE_TYPE_REQUIRED', 'This field is required');
  return undefined;
}
