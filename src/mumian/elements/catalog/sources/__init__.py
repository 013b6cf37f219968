"""One source one number 一数一源: which field is the authoritative source of a data element, and which others repeat it."""
