"""Operations: doctor, manifest, deliveries report, commands of the command line."""
