"""O PostgreSQL embutido: os binários, a pasta dele, e quem o começa e para."""
