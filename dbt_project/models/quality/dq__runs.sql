with final as (select * from {{ source("raw", "runs") }}) select * from final
