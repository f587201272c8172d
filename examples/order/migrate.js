'use strict';
// Fills the store and ends: web starts only when this has exited with 0.
fetch(`${process.env.STORE}/greeting`, { method: 'PUT', body: 'the store was migrated\n' })
  .then((res) => {
    if (!res.ok) throw new Error(`the store answered ${res.status}`);
    console.log('migrated');
  })
  .catch((err) => {
    console.error(`not migrated: ${err.message}`);
    process.exit(1);
  });
