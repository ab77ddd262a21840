with final as (select * from {{ ref("claims") }}) select * from final
