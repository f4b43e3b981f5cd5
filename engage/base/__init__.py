"""What every layer may use and which knows nothing of surveys: settings, languages, files, exports."""
