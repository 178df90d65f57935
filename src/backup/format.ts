/** The file in an archive that names every other one with its SHA-256. It comes last: an archive without it is cut off. */
export const manifestName = 'px-backup.json';

/** What a backup takes of a home and a restore accepts: its four parts. */
export const parts = ['px.yaml', 'memory', 'plugins', 'state'] as const;
