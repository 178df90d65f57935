/** In the place of a function's name: asks for a picture of the script as it is now, in base64, or null when it has spoken to the host. */
export const pictureCall = '*picture';

/** Largest picture, in bytes. */
export const maxPicture = 8 * 1024 * 1024;
