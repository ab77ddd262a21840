with final as (select * from {{ source("raw", "quarantined_rows") }})

select *
from final
