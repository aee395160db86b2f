import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from "node:crypto";

const CIPHER = "aes-256-gcm";
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** AES-256-GCM as IV, ciphertext and tag. `aad` names what is sealed, and must be given again to open it. */
export function sealBytes(key: KeyObject, aad: string, plain: Uint8Array): Buffer {
  const sealed = Buffer.allocUnsafe(IV_BYTES + plain.length + TAG_BYTES);
  const iv = takeIv();
  const cipher = createCipheriv(CIPHER, key, iv).setAAD(Buffer.from(aad));
  sealed.set(iv, 0);
  sealed.set(cipher.update(plain), IV_BYTES);
  // GCM is a stream: there is never a last block to come.
  cipher.final();
  sealed.set(cipher.getAuthTag(), IV_BYTES + plain.length);
  return sealed;
}

const ivs = { pool: Buffer.alloc(0), at: 0 };

/** Twelve bytes that were never used before, each from the system's randomness, which is asked once for many: asking is dear. */
function takeIv(): Buffer {
  if (ivs.at === ivs.pool.length) {
    ivs.pool = randomBytes(IV_BYTES * 512);
    ivs.at = 0;
  }
  const iv = ivs.pool.subarray(ivs.at, ivs.at + IV_BYTES);
  ivs.at += IV_BYTES;
  return iv;
}

/** Opens what `sealBytes` made; throws when the key, the name or a single bit differs. */
export function openBytes(key: KeyObject, aad: string, sealed: Uint8Array): Buffer {
  const bytes = Buffer.from(sealed);
  if (bytes.length < IV_BYTES + TAG_BYTES) throw new Error("The sealed value is too short.");
  const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(aad)).setAuthTag(bytes.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
}
