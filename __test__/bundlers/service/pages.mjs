/** A module of the service's own, which is bundled. */
export const pageOf = (number) => `page ${number}`;
