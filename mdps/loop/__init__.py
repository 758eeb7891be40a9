"""Exact tools of LOOP (average reward, general function classes): losses, optimistic programs, certificates, logs."""
